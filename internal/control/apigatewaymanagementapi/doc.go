// Package apigatewaymanagementapi answers the @connections API of WebSocket
// APIs: functions and others send messages to connected clients, look at their
// connections and end them. Each call is addressed to a stage, which comes with
// it (awswire.APIStage).
//
// It keeps nothing and must not import the data plane: connections are reached
// through Connections, which is filled in cmd/gatehouse.
package apigatewaymanagementapi
