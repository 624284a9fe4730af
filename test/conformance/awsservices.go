package conformance

import (
	"crypto/md5" //nolint:gosec // SQS has it in its answers
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"gatehouse/internal/awswire/sigv4"
)

// What there is at the services that integrations call, at those of the runner as
// at any others: a queue, a table with the key id, a stream and a parameter of the
// name, a bucket of it with "-bucket" behind, a state machine, and an application
// with an environment and a configuration.
const awsResource = "conformance"

// serviceKeys are what the runner's services believe.
var serviceKeys = sigv4.Keys{AccessKeyID: "AKIDCONFORMANCE", Secret: "conformance-secret"}

// awsServices are services of AWS as far as cases call them. They take only what is
// signed right, for their name and any region.
type awsServices struct {
	url    string
	server *http.Server

	mu      sync.Mutex
	items   map[string]json.RawMessage // of the table, by id
	objects map[string][]byte          // of the bucket, by key
}

// newAWSServices serves them.
func newAWSServices(listen string) (*awsServices, error) {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, err
	}
	s := &awsServices{url: "http://" + l.Addr().String(), items: map[string]json.RawMessage{}, objects: map[string][]byte{}}
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	go s.server.Serve(l) //nolint:errcheck // it ends with an error always
	return s, nil
}

func (s *awsServices) close() { _ = s.server.Close() }

// A serviceCall is a request to a service, its signature checked.
type serviceCall struct {
	*http.Request
	w    http.ResponseWriter
	body []byte
	// action is what X-Amz-Target or the parameter Action name, form all parameters.
	action string
	form   url.Values
}

// ServeHTTP lets the service answer that the signature is for.
func (s *awsServices) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &serviceCall{Request: r, w: w}
	name, err := c.verify()
	if err != nil {
		http.Error(w, `{"__type":"InvalidSignatureException","message":"`+err.Error()+`"}`, http.StatusForbidden)
		return
	}
	c.form = r.URL.Query()
	if fields, err := url.ParseQuery(string(c.body)); err == nil {
		for name, values := range fields {
			if !c.form.Has(name) { // what is in the query counts
				c.form[name] = values
			}
		}
	}
	c.action = c.form.Get("Action")
	if _, action, ok := strings.Cut(r.Header.Get("X-Amz-Target"), "."); ok {
		c.action = action
	}
	w.Header().Set("x-amzn-RequestId", "5d6aec72-f82a-4533-aa38-bb85030b6038")
	s.mu.Lock()
	defer s.mu.Unlock()
	switch name {
	case "sqs":
		c.queue()
	case "ssm":
		c.parameter()
	case "dynamodb":
		s.table(c)
	case "s3":
		s.bucket(c)
	case "kinesis":
		c.stream()
	case "states":
		c.machine()
	case "events":
		c.bus()
	case "appconfig":
		c.configuration()
	default:
		c.refuse(http.StatusBadRequest, "UnknownOperationException", "there is no service "+name)
	}
}

// verify reads the body and returns for which service the request is signed.
func (c *serviceCall) verify() (service string, err error) {
	if c.body, err = io.ReadAll(io.LimitReader(c.Request.Body, 16<<20)); err != nil {
		return "", err
	}
	signed := &sigv4.Request{
		Method: c.Method, Path: c.URL.EscapedPath(), Query: c.URL.RawQuery, Host: c.Host, ContentLength: c.ContentLength,
		Header: func(name string) []string {
			if name == "host" {
				return []string{c.Host}
			}
			return c.Header.Values(name)
		},
	}
	signature, err := sigv4.Parse(signed)
	if err != nil {
		return "", err
	}
	if signature.AccessKeyID != serviceKeys.AccessKeyID {
		return "", fmt.Errorf("nobody has the key %s", signature.AccessKeyID)
	}
	check := sigv4.Check{Secret: serviceKeys.Secret, Now: time.Now(), BodyHash: sigv4.Hash(c.body)}
	if signature.Scope.Service == "s3" {
		check.Path = sigv4.EncodeOnce
	}
	return signature.Scope.Service, signature.Verify(signed, check)
}

// answer writes a document of the JSON protocol.
func (c *serviceCall) answer(status int, document any) {
	text, err := json.Marshal(document)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(err.Error())
	}
	c.w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	c.w.WriteHeader(status)
	_, _ = c.w.Write(text)
}

func (c *serviceCall) refuse(status int, code, message string) {
	c.answer(status, map[string]string{"__type": code, "message": message})
}

// members are those of a JSON document.
func (c *serviceCall) members() map[string]any {
	members := map[string]any{}
	_ = json.Unmarshal(c.body, &members) // what isn't one has no members
	return members
}

// queryAnswer writes a result of the query protocol: as JSON for who accepts that,
// else as XML. Members stand in the order given.
func (c *serviceCall) queryAnswer(members ...[2]string) {
	const metadata = "ResponseMetadata"
	if c.Header.Get("Accept") == "application/json" {
		result := map[string]string{}
		for _, m := range members {
			result[m[0]] = m[1]
		}
		c.answer(200, map[string]any{c.action + "Response": map[string]any{
			c.action + "Result": result, metadata: map[string]string{"RequestId": c.w.Header().Get("x-amzn-RequestId")},
		}})
		return
	}
	c.w.Header().Set("Content-Type", "text/xml")
	_, _ = io.WriteString(c.w, `<?xml version="1.0"?><`+c.action+"Response><"+c.action+"Result>")
	for _, m := range members {
		_, _ = io.WriteString(c.w, "<"+m[0]+">")
		_ = xml.EscapeText(c.w, []byte(m[1]))
		_, _ = io.WriteString(c.w, "</"+m[0]+">")
	}
	_, _ = io.WriteString(c.w, "</"+c.action+"Result></"+c.action+"Response>")
}

// queue is SQS, which speaks both protocols.
func (c *serviceCall) queue() {
	const messageID = "1f0f4a3c-6c5e-4b53-8a6f-3f3f0c9d4a11"
	address := c.form.Get("QueueUrl")
	inJSON := strings.HasPrefix(c.Header.Get("Content-Type"), "application/x-amz-json-")
	if inJSON {
		address, _ = c.members()["QueueUrl"].(string)
	}
	if address == "" {
		address = c.URL.Path
	}
	switch {
	case !strings.HasSuffix(address, "/"+awsResource) && inJSON:
		c.refuse(400, "QueueDoesNotExist", "The specified queue does not exist.")
	case !strings.HasSuffix(address, "/"+awsResource):
		c.w.WriteHeader(400)
		_, _ = io.WriteString(c.w, `<?xml version="1.0"?><ErrorResponse><Error><Code>AWS.SimpleQueueService.NonExistentQueue</Code><Message>The specified queue does not exist.</Message></Error></ErrorResponse>`)
	case inJSON:
		c.answer(200, map[string]string{"MessageId": messageID})
	case c.action == "SendMessage":
		sum := md5.Sum([]byte(c.form.Get("MessageBody"))) //nolint:gosec // as above
		members := [][2]string{{"MessageId", messageID}, {"MD5OfMessageBody", fmt.Sprintf("%x", sum)}}
		if c.form.Has("MessageAttribute.1.Name") || c.form.Has("MessageAttributes.1.Name") {
			members = append(members, [2]string{"MD5OfMessageAttributes", "4c1c527a9b19c353ccd5ab54fcf92476"})
		}
		c.queryAnswer(members...)
	default:
		c.queryAnswer()
	}
}

// parameter is SSM.
func (c *serviceCall) parameter() {
	if c.action != "GetParameter" || c.form.Get("Name") != awsResource {
		c.refuse(400, "ParameterNotFound", "")
		return
	}
	c.answer(200, map[string]any{"GetParameterResponse": map[string]any{
		"GetParameterResult": map[string]any{"Parameter": map[string]string{"Name": awsResource, "Value": "123"}},
		"ResponseMetadata":   map[string]string{"RequestId": c.w.Header().Get("x-amzn-RequestId")},
	}})
}

// table is DynamoDB.
func (s *awsServices) table(c *serviceCall) {
	var in struct {
		TableName string
		Item, Key map[string]map[string]any
	}
	if !strings.HasPrefix(c.Header.Get("Content-Type"), "application/x-amz-json-1.0") || json.Unmarshal(c.body, &in) != nil {
		c.refuse(400, "com.amazon.coral.service#SerializationException", "")
		return
	}
	if in.TableName != awsResource {
		c.refuse(400, "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", "Requested resource not found")
		return
	}
	switch c.action {
	case "PutItem":
		id, _ := in.Item["id"]["S"].(string)
		item, err := json.Marshal(in.Item)
		if err != nil || id == "" {
			c.refuse(400, "com.amazon.coral.validate#ValidationException", "Missing the key id in the item")
			return
		}
		s.items[id] = item
		c.answer(200, map[string]any{})
	case "GetItem":
		id, _ := in.Key["id"]["S"].(string)
		answer := map[string]any{}
		if item, ok := s.items[id]; ok {
			answer["Item"] = item
		}
		c.answer(200, answer)
	default:
		c.refuse(400, "com.amazon.coral.service#UnknownOperationException", "")
	}
}

// bucket is S3.
func (s *awsServices) bucket(c *serviceCall) {
	key, ours := strings.CutPrefix(c.URL.Path, "/"+awsResource+"-bucket/")
	content, there := s.objects[key]
	switch {
	case !ours:
		c.noSuch("Bucket")
	case c.Method == http.MethodPut:
		s.objects[key] = c.body
		c.w.Header().Set("ETag", fmt.Sprintf("%q", fmt.Sprintf("%x", md5.Sum(c.body)))) //nolint:gosec // as above
	case !there:
		c.noSuch("Key")
	case c.Method == http.MethodDelete:
		delete(s.objects, key)
		c.w.WriteHeader(http.StatusNoContent)
	default:
		c.w.Header().Set("Content-Type", "binary/octet-stream")
		_, _ = c.w.Write(content)
	}
}

func (c *serviceCall) noSuch(what string) {
	c.w.Header().Set("Content-Type", "application/xml")
	c.w.WriteHeader(http.StatusNotFound)
	_, _ = io.WriteString(c.w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>NoSuch`+what+`</Code></Error>`)
}

// stream is Kinesis.
func (c *serviceCall) stream() {
	in := c.members()
	data, _ := in["Data"].(string)
	switch _, err := base64.StdEncoding.DecodeString(data); {
	case err != nil:
		c.refuse(400, "SerializationException", "")
	case in["StreamName"] != awsResource:
		c.refuse(400, "ResourceNotFoundException", fmt.Sprintf("Stream %v not found.", in["StreamName"]))
	default:
		c.answer(200, map[string]string{"ShardId": "shardId-000000000000", "SequenceNumber": "1"})
	}
}

// machine is Step Functions.
func (c *serviceCall) machine() {
	in := c.members()
	arn, _ := in["stateMachineArn"].(string)
	input, _ := in["input"].(string)
	switch {
	case c.action == "StopExecution":
		c.answer(200, map[string]any{"stopDate": 1.7e9})
	case !strings.HasSuffix(arn, ":stateMachine:"+awsResource):
		c.refuse(400, "StateMachineDoesNotExist", "State Machine Does Not Exist: '"+arn+"'")
	case input != "" && !json.Valid([]byte(input)):
		c.refuse(400, "InvalidExecutionInput", "Invalid State Machine Execution Input")
	case c.action == "StartSyncExecution":
		c.answer(200, map[string]any{"executionArn": arn, "status": "SUCCEEDED", "output": input})
	default:
		c.answer(200, map[string]any{"executionArn": strings.Replace(arn, ":stateMachine:", ":execution:", 1) + ":1", "startDate": 1.7e9})
	}
}

// bus is EventBridge.
func (c *serviceCall) bus() {
	var in struct {
		Entries []struct{ Source, DetailType, Detail string }
	}
	if err := json.Unmarshal(c.body, &in); err != nil || len(in.Entries) == 0 {
		c.refuse(400, "ValidationException", "")
		return
	}
	failed, entry := 0, map[string]string{"EventId": "6a38ec49-481b-4d25-9ae3-78efa5d29233"}
	if !json.Valid([]byte(in.Entries[0].Detail)) {
		failed, entry = 1, map[string]string{"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
	}
	c.answer(200, map[string]any{"FailedEntryCount": failed, "Entries": []any{entry}})
}

// configuration is AppConfig.
func (c *serviceCall) configuration() {
	if c.URL.Path != "/applications/"+awsResource+"/environments/"+awsResource+"/configurations/"+awsResource || c.form.Get("client_id") == "" {
		c.refuse(404, "ResourceNotFoundException", "")
		return
	}
	c.w.Header().Set("Content-Type", "application/json")
	c.w.Header().Set("Configuration-Version", "1")
	_, _ = io.WriteString(c.w, `{"feature":true}`)
}
