package transform

const (
	formType   = "application/x-www-form-urlencoded"
	jsonType10 = "application/x-amz-json-1.0"
	jsonType11 = "application/x-amz-json-1.1"
)

// actions are the subtypes that there are.
//
// UNVERIFIED: that SQS is spoken to by its query protocol, whose answers are XML.
var actions = [...]ActionType{
	{
		Subtype: "EventBridge-PutEvents", Service: "events", Name: "PutEvents", Method: "POST", contentType: jsonType11, write: writeEvent,
		parameters: []actionParameter{
			{name: "Detail", key: "Detail", required: true},
			{name: "DetailType", key: "DetailType", required: true},
			{name: "Source", key: "Source", required: true},
			{name: "Time", key: "Time", kind: asTime},
			{name: "EventBusName", key: "EventBusName"},
			{name: "Resources", key: "Resources", kind: asList},
			{name: "TraceHeader", key: "TraceHeader"},
		},
	},
	{
		Subtype: "SQS-SendMessage", Service: "sqs", Name: "SendMessage", Method: "POST", contentType: formType, write: writeForm,
		parameters: []actionParameter{
			{name: "QueueUrl", key: "QueueUrl", required: true},
			{name: "MessageBody", key: "MessageBody", required: true},
			{name: "DelaySeconds", key: "DelaySeconds", kind: asNumber},
			{name: "MessageAttributes", key: "MessageAttribute", kind: asAttributes},
			{name: "MessageDeduplicationId", key: "MessageDeduplicationId"},
			{name: "MessageGroupId", key: "MessageGroupId"},
			{name: "MessageSystemAttributes", key: "MessageSystemAttribute", kind: asAttributes},
		},
	},
	{
		Subtype: "SQS-ReceiveMessage", Service: "sqs", Name: "ReceiveMessage", Method: "POST", contentType: formType, write: writeForm,
		parameters: []actionParameter{
			{name: "QueueUrl", key: "QueueUrl", required: true},
			{name: "AttributeNames", key: "AttributeName", kind: asList},
			{name: "MaxNumberOfMessages", key: "MaxNumberOfMessages", kind: asNumber},
			{name: "MessageAttributeNames", key: "MessageAttributeName", kind: asList},
			{name: "ReceiveRequestAttemptId", key: "ReceiveRequestAttemptId"},
			{name: "VisibilityTimeout", key: "VisibilityTimeout", kind: asNumber},
			{name: "WaitTimeSeconds", key: "WaitTimeSeconds", kind: asNumber},
		},
	},
	{
		Subtype: "SQS-DeleteMessage", Service: "sqs", Name: "DeleteMessage", Method: "POST", contentType: formType, write: writeForm,
		parameters: []actionParameter{
			{name: "QueueUrl", key: "QueueUrl", required: true},
			{name: "ReceiptHandle", key: "ReceiptHandle", required: true},
		},
	},
	{
		Subtype: "SQS-PurgeQueue", Service: "sqs", Name: "PurgeQueue", Method: "POST", contentType: formType, write: writeForm,
		parameters: []actionParameter{{name: "QueueUrl", key: "QueueUrl", required: true}},
	},
	{
		Subtype: "AppConfig-GetConfiguration", Service: "appconfig", Name: "GetConfiguration", Method: "GET", write: writeConfiguration,
		parameters: []actionParameter{
			{name: "Application", key: "/applications/", required: true},
			{name: "Environment", key: "/environments/", required: true},
			{name: "Configuration", key: "/configurations/", required: true},
			{name: "ClientId", key: "client_id", required: true},
			{name: "ClientConfigurationVersion", key: "client_configuration_version"},
		},
	},
	{
		Subtype: "Kinesis-PutRecord", Service: "kinesis", Name: "PutRecord", Method: "POST", contentType: jsonType11, write: writeJSON,
		parameters: []actionParameter{
			{name: "StreamName", key: "StreamName", required: true},
			{name: "Data", key: "Data", kind: asBytes, required: true},
			{name: "PartitionKey", key: "PartitionKey", required: true},
			{name: "SequenceNumberForOrdering", key: "SequenceNumberForOrdering"},
			{name: "ExplicitHashKey", key: "ExplicitHashKey"},
		},
	},
	{
		Subtype: "StepFunctions-StartExecution", Service: "states", Name: "StartExecution", Method: "POST", contentType: jsonType10, write: writeJSON,
		parameters: []actionParameter{
			{name: "StateMachineArn", key: "stateMachineArn", required: true},
			{name: "Name", key: "name"},
			{name: "Input", key: "input"},
		},
	},
	{
		Subtype: "StepFunctions-StartSyncExecution", Service: "sync-states", Name: "StartSyncExecution", Method: "POST", contentType: jsonType10, write: writeJSON,
		parameters: []actionParameter{
			{name: "StateMachineArn", key: "stateMachineArn", required: true},
			{name: "Name", key: "name"},
			{name: "Input", key: "input"},
			{name: "TraceHeader", key: "traceHeader"},
		},
	},
	{
		Subtype: "StepFunctions-StopExecution", Service: "states", Name: "StopExecution", Method: "POST", contentType: jsonType10, write: writeJSON,
		parameters: []actionParameter{
			{name: "ExecutionArn", key: "executionArn", required: true},
			{name: "Cause", key: "cause"},
			{name: "Error", key: "error"},
		},
	},
}
