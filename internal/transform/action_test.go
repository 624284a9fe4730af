package transform

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"

	"gatehouse/internal/plan"
)

// what is one text of what an action leaves for its service.
func leftFor(x *plan.Exchange) string {
	m := &x.Mapped
	text := lines(m.Headers)
	if m.Path != "" {
		text += m.Path + "?" + m.Query
	}
	if m.Region != "" {
		text += "(" + m.Region + ")"
	}
	return text + string(m.Body)
}

func TestAction(t *testing.T) {
	const form, json10, json11 = "Content-Type: application/x-www-form-urlencoded|", "Content-Type: application/x-amz-json-1.0|", "Content-Type: application/x-amz-json-1.1|"
	for _, test := range []struct {
		name, subtype string
		parameters    map[string]string
		want          string
	}{
		{"a message", "SQS-SendMessage", map[string]string{"QueueUrl": "https://sqs/1/q", "MessageBody": "$request.body.user.name"},
			form + "Action=SendMessage&Version=2012-11-05&QueueUrl=https%3A%2F%2Fsqs%2F1%2Fq&MessageBody=Ann%20%C3%A4"},
		{"its attributes", "SQS-SendMessage", map[string]string{
			"QueueUrl": "q", "MessageBody": "b", "DelaySeconds": "5", "MessageGroupId": "${stageVariables.g}-$", "Region": "$request.querystring.q",
			"MessageAttributes": `{"two": {"DataType": "String", "StringValue": "${request.header.x-one}"}, "one": {"DataType": "Binary", "BinaryValue": "AA=="}}`,
		}, form + "(1,a b&)Action=SendMessage&Version=2012-11-05&QueueUrl=q&MessageBody=b&DelaySeconds=5" +
			"&MessageAttribute.1.Name=one&MessageAttribute.1.Value.DataType=Binary&MessageAttribute.1.Value.BinaryValue=AA%3D%3D" +
			"&MessageAttribute.2.Name=two&MessageAttribute.2.Value.DataType=String&MessageAttribute.2.Value.StringValue=1&MessageGroupId=red-%24"},
		{"attributes can't be forged", "SQS-SendMessage", map[string]string{
			"QueueUrl": "q", "MessageBody": "b", "MessageAttributes": `{"a": {"DataType": "String", "StringValue": "${request.header.quoted}"}}`,
		}, form + "Action=SendMessage&Version=2012-11-05&QueueUrl=q&MessageBody=b&MessageAttribute.1.Name=a&MessageAttribute.1.Value.DataType=String&MessageAttribute.1.Value.StringValue=%22%7D%2C%22b%22%3A%22%5C"},
		{"attributes of the client", "SQS-SendMessage", map[string]string{"QueueUrl": "q", "MessageBody": "b", "MessageAttributes": `$request.header.document`},
			form + "Action=SendMessage&Version=2012-11-05&QueueUrl=q&MessageBody=b&MessageAttribute.1.Name=a&MessageAttribute.1.Value.DataType=Number&MessageAttribute.1.Value.StringValue=1"},
		{"lists", "SQS-ReceiveMessage", map[string]string{"QueueUrl": "q", "AttributeNames": "All, SenderId", "MessageAttributeNames": "$request.body.names", "WaitTimeSeconds": "0"},
			form + "Action=ReceiveMessage&Version=2012-11-05&QueueUrl=q&AttributeName.1=All&AttributeName.2=SenderId&MessageAttributeName.1=a&MessageAttributeName.2=b%2Cc&WaitTimeSeconds=0"},
		{"a receipt", "SQS-DeleteMessage", map[string]string{"QueueUrl": "q", "ReceiptHandle": "A+/="}, form + "Action=DeleteMessage&Version=2012-11-05&QueueUrl=q&ReceiptHandle=A%2B%2F%3D"},
		{"a queue", "SQS-PurgeQueue", map[string]string{"QueueUrl": "q"}, form + "Action=PurgeQueue&Version=2012-11-05&QueueUrl=q"},
		{"an event", "EventBridge-PutEvents", map[string]string{
			"Detail": "$request.body.user", "DetailType": "t", "Source": "$context.apiId", "Time": "2026-01-02T03:04:05.5Z", "Resources": "a,b", "EventBusName": "bus", "TraceHeader": "Root=1",
		}, json11 + `{"Entries":[{"Detail":"{\"name\":\"Ann \\u00e4\",\"roles\":[\"r0\",{\"k\":true}]}","DetailType":"t","Source":"a1b2","Time":1767323045.500,"EventBusName":"bus","Resources":["a","b"],"TraceHeader":"Root=1"}]}`},
		{"a time in seconds", "EventBridge-PutEvents", map[string]string{"Detail": "{}", "DetailType": "t", "Source": "s", "Time": "1767323045"},
			json11 + `{"Entries":[{"Detail":"{}","DetailType":"t","Source":"s","Time":1767323045}]}`},
		{"data", "Kinesis-PutRecord", map[string]string{"StreamName": "s", "Data": "plain text", "PartitionKey": "$request.path.id"}, json11 + `{"StreamName":"s","Data":"cGxhaW4gdGV4dA==","PartitionKey":"a b"}`},
		{"data in base64", "Kinesis-PutRecord", map[string]string{"StreamName": "s", "Data": "J0hlbGxvLCBXb3JsZCEnCg==", "PartitionKey": "p"}, json11 + `{"StreamName":"s","Data":"J0hlbGxvLCBXb3JsZCEnCg==","PartitionKey":"p"}`},
		{"an execution", "StepFunctions-StartExecution", map[string]string{"StateMachineArn": "arn", "Input": "$request.body.lines"}, json10 + `{"stateMachineArn":"arn","input":"a\u000D\u000AX-Evil: 1\u0000"}`},
		{"one that is waited for", "StepFunctions-StartSyncExecution", map[string]string{"StateMachineArn": "arn", "TraceHeader": "x"}, json10 + `{"stateMachineArn":"arn","traceHeader":"x"}`},
		{"the end of one", "StepFunctions-StopExecution", map[string]string{"ExecutionArn": "arn", "Cause": "c", "Error": "e"}, json10 + `{"executionArn":"arn","cause":"c","error":"e"}`},
		{"a configuration", "AppConfig-GetConfiguration", map[string]string{"Application": "a/../b", "Environment": "e", "Configuration": "c?", "ClientId": "&1"},
			"/applications/a%2F..%2Fb/environments/e/configurations/c%3F?client_id=%261"},
	} {
		a, err := NewAction(test.subtype, test.parameters, map[string]string{"g": "red"})
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		x := actionExchange()
		if err := a.Map(x); err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if got := leftFor(x); got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.name, got, test.want)
		}
		if test.name == "attributes can't be forged" {
			// It is one attribute, whatever was in the header.
			values, err := url.ParseQuery(string(x.Mapped.Body))
			if err != nil || values.Get("MessageAttribute.1.Value.StringValue") != `"},"b":"\` {
				t.Errorf("%v, %v", values, err)
			}
		}
	}
}

func actionExchange() *plan.Exchange {
	x := exchange()
	x.Request.Headers = append(x.Request.Headers, plan.Header{Name: "Quoted", Value: `"},"b":"\`}, plan.Header{Name: "Document", Value: `{"a":{"DataType":"Number","StringValue":"1"}}`})
	x.Request.Body = append([]byte(`{"names":["a","b,c"],`), x.Request.Body[1:]...)
	return x
}

// A long body becomes a request that is three times as long: it is held, or
// refused where there is no room.
func TestLongActionRequests(t *testing.T) {
	a, err := NewAction("SQS-SendMessage", map[string]string{"QueueUrl": "q", "MessageBody": "$request.body"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	const long = 1 << 20
	for _, test := range []struct {
		room    int64
		crowded bool
	}{{5 * long, false}, {3 * long, true}} {
		x := exchange()
		x.Memory, x.Turns = plan.NewMemory(test.room), plan.NewTurns(1)
		x.Request.Body = bytes.Repeat([]byte("&"), long)
		err := a.Map(x)
		if x.Crowded() != test.crowded || (err != nil) != test.crowded {
			t.Errorf("room for %d: crowded is %v, %v", test.room, x.Crowded(), err)
		}
		if held := x.Memory.Held(); !test.crowded && held < int64(cap(x.Mapped.Body)) {
			t.Errorf("%d bytes are held of %d", held, cap(x.Mapped.Body))
		}
		if !x.Turns.Take(long) {
			t.Error("the turn wasn't given back")
		}
	}
}

// A list, or attributes, that nobody would take isn't read: it would be as many
// texts as it has commas.
func TestLongActionLists(t *testing.T) {
	for parameter, text := range map[string]string{"AttributeNames": strings.Repeat(",", maxStructured+1), "MessageAttributes": "{" + strings.Repeat(" ", maxStructured) + "}"} {
		subtype, parameters := "SQS-ReceiveMessage", map[string]string{"QueueUrl": "q", parameter: "$request.body"}
		if parameter == "MessageAttributes" {
			subtype, parameters["MessageBody"] = "SQS-SendMessage", "m"
		}
		a, err := NewAction(subtype, parameters, nil)
		if err != nil {
			t.Fatal(err)
		}
		x := exchange()
		x.Request.Body = []byte(text)
		var fault *plan.Fault
		if err := a.Map(x); !errors.As(err, &fault) || fault.Kind != plan.BadRequest {
			t.Errorf("%s: %v", parameter, err)
		}
	}
}

// What isn't there for a parameter, or isn't what it takes, is refused with 400.
func TestActionUnresolved(t *testing.T) {
	for _, test := range []struct{ subtype, parameter, value, told string }{
		{"SQS-SendMessage", "MessageBody", "$request.body.nothing", "MessageBody from source $request.body.nothing"},
		{"SQS-SendMessage", "MessageGroupId", "$request.header.nothing", "MessageGroupId from source $request.header.nothing"},
		{"SQS-SendMessage", "Region", "$request.querystring.r", "Region from source $request.querystring.r"},
		{"SQS-SendMessage", "DelaySeconds", "$request.header.x-two", "DelaySeconds from source $request.header.x-two: it is no number"},
		{"SQS-SendMessage", "MessageAttributes", "$request.header.x-one", "MessageAttributes from source $request.header.x-one: it is no document of attributes"},
		{"SQS-ReceiveMessage", "AttributeNames", "$request.body.user.roles", "AttributeNames from source $request.body.user.roles: it is no list of texts"},
		{"EventBridge-PutEvents", "Time", "tomorrow", "Time from source tomorrow: it is no time"},
		{"EventBridge-PutEvents", "Resources", "[1]", "Resources from source [1]: it is no list of texts"},
		{"AppConfig-GetConfiguration", "ClientConfigurationVersion", "$stageVariables.none", "ClientConfigurationVersion from source $stageVariables.none"},
	} {
		parameters := map[string]string{test.parameter: test.value}
		for _, p := range actionType(test.subtype).parameters {
			if p.required && parameters[p.name] == "" {
				parameters[p.name] = "x"
			}
		}
		a, err := NewAction(test.subtype, parameters, nil)
		if err != nil {
			t.Errorf("%v: %v", test, err)
			continue
		}
		x := actionExchange()
		var fault *plan.Fault
		if err := a.Map(x); !errors.As(err, &fault) || fault.Kind != plan.BadRequest || x.Integration.Error != "Unable to resolve property "+test.told {
			t.Errorf("%v: %v", test, err)
		}
	}
}

func TestActionRefusals(t *testing.T) {
	queue := func(name, value string) map[string]string {
		return map[string]string{"QueueUrl": "q", "MessageBody": "b", name: value}
	}
	const source = "Invalid selection expression specified: Validation Result: warnings : [], errors : [Invalid source: "
	for _, test := range []struct {
		subtype    string
		parameters map[string]string
		want       string
	}{
		{"SQS-EatMessage", nil, "Invalid integrationSubtype specified: SQS-EatMessage"},
		{"SQS-SendMessage", queue("MessageBody", ""), "Missing required parameter for SQS-SendMessage: MessageBody"},
		{"SQS-SendMessage", queue("Body", "x"), "Invalid parameter specified for SQS-SendMessage: Body"},
		{"SQS-SendMessage", queue("MessageBody", "$request.cookie.x"), source + "$request.cookie.x specified for destination: MessageBody]"},
		{"SQS-SendMessage", queue("Region", "${request.header.x"), source + "${request.header.x specified for destination: Region]"},
		{"SQS-SendMessage", queue("MessageAttributes", `{"a":{"DataType":"String","StringValue":"b"}}`), source + `{"a":{"DataType":"String","StringValue":"b"}} specified for destination: MessageAttributes]`},
	} {
		if _, err := NewAction(test.subtype, test.parameters, nil); err == nil || err.Error() != test.want {
			t.Errorf("%s %v: %v, want %s", test.subtype, test.parameters, err, test.want)
		}
	}
}

// Whatever values are, they stay values: a form has the fields of its parameters
// alone, a document is one.
func FuzzAction(f *testing.F) {
	f.Add(`a&MessageBody=b`, `x","y":"z`)
	f.Add("\xff\x00\r\n", `\`)
	form, err := NewAction("SQS-SendMessage", map[string]string{"QueueUrl": "$request.header.a", "MessageBody": "$request.header.b"}, nil)
	if err != nil {
		f.Fatal(err)
	}
	document, err := NewAction("StepFunctions-StartExecution", map[string]string{"StateMachineArn": "$request.header.a", "Input": "$request.header.b"}, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if a == "" || b == "" {
			return
		}
		x := &plan.Exchange{}
		x.Request.Headers = plan.Headers{{Name: "a", Value: a}, {Name: "b", Value: b}}
		if err := form.Map(x); err != nil {
			t.Fatal(err)
		}
		values, err := url.ParseQuery(string(x.Mapped.Body))
		if err != nil || len(values) != 4 || values.Get("QueueUrl") != a || values.Get("MessageBody") != b {
			t.Errorf("%q is %v, %v", x.Mapped.Body, values, err)
		}
		if err := document.Map(x); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"stateMachineArn": strings.ToValidUTF8(a, ""), "input": strings.ToValidUTF8(b, "")}
		var got map[string]string
		if err := json.Unmarshal(x.Mapped.Body, &got); err != nil || len(got) != 2 || strings.ReplaceAll(got["input"], "\uFFFD", "") != strings.ReplaceAll(want["input"], "\uFFFD", "") {
			t.Errorf("%q is %q, %v", x.Mapped.Body, got, err)
		}
	})
}
