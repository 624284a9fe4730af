"""Manages the connection of a WebSocket API with boto3. websocket_test.go runs
it, with the endpoint in the environment and the connection's id."""
import os
import sys

import boto3

client = boto3.client("apigatewaymanagementapi", endpoint_url=os.environ["CALLBACK"])
connection = sys.argv[1]

client.post_to_connection(ConnectionId=connection, Data="from boto3 ä".encode())
known = client.get_connection(ConnectionId=connection)
assert known["Identity"]["SourceIp"] == "127.0.0.1" and known["Identity"]["UserAgent"] == "frames", known
assert known["ConnectedAt"] <= known["LastActiveAt"], known
try:
    client.post_to_connection(ConnectionId=connection, Data=b"x" * (128 * 1024 + 1))
except client.exceptions.PayloadTooLargeException:
    pass
else:
    raise AssertionError("a post of more than 128 KB was taken")
client.delete_connection(ConnectionId=connection)
for call in (client.get_connection, client.delete_connection, lambda **k: client.post_to_connection(Data=b"x", **k)):
    try:
        call(ConnectionId=connection)
    except client.exceptions.GoneException as e:
        assert e.response["ResponseMetadata"]["HTTPStatusCode"] == 410, e
    else:
        raise AssertionError("a connection that is deleted was there")
