package lambda

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	api "gatehouse/internal/awsapi/lambda"
	"gatehouse/internal/awswire"
	"gatehouse/internal/function"
	"gatehouse/internal/policy"
)

const (
	maxRequestBytes = 6 << 20 // of a synchronous payload
	maxEventBytes   = 1 << 20 // of an asynchronous one
	maxContextBytes = 3583    // of the client context, in base64
)

// Invoke calls a function: now, later (Event), or not at all (DryRun).
func (s *Service) Invoke(c *awswire.Call, in *api.InvocationRequest) (*api.InvocationResponse, error) {
	t, inv, err := s.invocation(c, in, api.InvocationTypeEvent)
	if err != nil {
		return nil, err
	}
	switch str(in.InvocationType) {
	case api.InvocationTypeDryRun:
		return &api.InvocationResponse{StatusCode: new(int32(204))}, nil
	case api.InvocationTypeEvent:
		inv.Tail = false
		return &api.InvocationResponse{StatusCode: new(int32(202))}, s.accept(t, *inv)
	}
	res, version, err := s.directory.InvokeWith(c, t.arn(), inv)
	if err != nil {
		return nil, invokeError(t, err)
	}
	out := &api.InvocationResponse{
		StatusCode: new(int32(200)), Payload: res.Payload, ExecutedVersion: &version, FunctionError: present(res.FunctionError),
	}
	if inv.Tail {
		out.LogResult = new(base64.StdEncoding.EncodeToString(res.LogTail))
	}
	return out, nil
}

// invocation checks a request to call a function. Besides RequestResponse and
// DryRun it takes the invocation types given.
func (s *Service) invocation(c *awswire.Call, in *api.InvocationRequest, more ...string) (target, *function.Invocation, error) {
	t, err := s.resolveInvoked(c, in.FunctionName, in.Qualifier)
	if err != nil {
		return t, nil, err
	}
	types := append(more, api.InvocationTypeRequestResponse, api.InvocationTypeDryRun)
	if v := in.InvocationType; v != nil && !slices.Contains(types, *v) {
		return t, nil, invalid(fmt.Sprintf("Value '%s' at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set: [%s]", *v, strings.Join(types, ", ")))
	}
	if v := in.LogType; v != nil && *v != api.LogTypeTail && *v != api.LogTypeNone {
		return t, nil, invalid(fmt.Sprintf("Value '%s' at 'logType' failed to satisfy constraint: Member must satisfy enum value set: [None, Tail]", *v))
	}
	if in.DurableExecutionName != nil {
		return t, nil, badParameter("gatehouse has no durable functions yet; leave DurableExecutionName out.")
	}
	if in.TenantId != nil {
		return t, nil, badParameter("The invoked function is not enabled with tenancy configuration. Remove the tenant ID from your request and try again.")
	}
	if err := checkPayload(in.Payload, str(in.InvocationType) == api.InvocationTypeEvent); err != nil {
		return t, nil, err
	}
	if !s.directory.Exists(t.arn()) {
		// AWS names the version it looked for here, even when none was given.
		return t, nil, functionNotFound(t.qualified(t.policyID()))
	}
	clientContext, err := decodeClientContext(in.ClientContext)
	return t, &function.Invocation{
		Payload: in.Payload, RequestID: c.RequestID, ClientContext: clientContext, Tail: str(in.LogType) == api.LogTypeTail,
	}, err
}

// resolveInvoked is resolve for calling a function, which may be another
// account's if its policy says so. Policies were asked before, but for those of
// root, who has none: then only the function's has a say.
func (s *Service) resolveInvoked(c *awswire.Call, name, qualifier *string) (target, error) {
	n, ok := ParseName(str(name))
	if !ok || n.Account == "" || n.Account == c.Account {
		return resolve(c, name, qualifier)
	}
	there := *c
	there.Account = n.Account
	t, err := resolve(&there, name, qualifier)
	if err != nil || !c.Principal.Root {
		return t, err
	}
	r := policy.Request{Action: "lambda:InvokeFunction", Resource: t.arn(), Caller: policy.Caller{
		Account: c.Principal.Account, ARN: c.Principal.ARN, UserID: c.Principal.UserID, Root: true,
	}}
	if v := policy.Evaluate(nil, s.directory.ResourcePolicy(t.arn()), &r, n.Account); v.Decision != policy.Allowed {
		return t, &awswire.Error{Code: "AccessDeniedException", Status: 403, Message: "User: " + c.Principal.ARN +
			" is not authorized to perform: " + r.Action + " on resource: " + r.Resource + v.Because(r.Action)}
	}
	return t, nil
}

// InvokeAsync is the old form of an Event invocation.
func (s *Service) InvokeAsync(c *awswire.Call, in *api.InvokeAsyncRequest) (*api.InvokeAsyncResponse, error) {
	t, err := s.resolveInvoked(c, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	if err := checkPayload(in.InvokeArgs, true); err != nil {
		return nil, err
	}
	if !s.directory.Exists(t.arn()) {
		return nil, functionNotFound(t.qualified(t.policyID()))
	}
	return &api.InvokeAsyncResponse{Status: new(int32(202))}, s.accept(t, function.Invocation{Payload: in.InvokeArgs, RequestID: c.RequestID})
}

// accept queues an event.
func (s *Service) accept(t target, inv function.Invocation) error {
	if err := s.enqueue(t.arn(), inv); err != nil {
		return invokeError(t, err)
	}
	return nil
}

// InvokeLater queues an event for a function, as Invoke does with the type
// Event. The payload must be JSON and stays the caller's. The error is
// [ErrNotFound] or a *function.Error.
func (s *Service) InvokeLater(functionARN string, payload []byte, traceID string) error {
	if len(payload) > maxEventBytes {
		return &function.Error{Kind: function.RequestTooLarge, Message: fmt.Sprintf("%d byte payload is too large for the Event invocation type (limit %d bytes)", len(payload), maxEventBytes)}
	}
	if !s.directory.Exists(functionARN) {
		return fmt.Errorf("%w: %s", ErrNotFound, functionARN)
	}
	return s.enqueue(functionARN, function.Invocation{Payload: payload, RequestID: s.newID(), TraceID: traceID})
}

// enqueue adds an event to the queue. The payload outlives the call, so it is
// copied.
func (s *Service) enqueue(functionARN string, inv function.Invocation) error {
	inv.Payload = bytes.Clone(inv.Payload)
	switch err := s.queue.add(functionARN, inv); {
	case errors.Is(err, errQueueFull):
		return &function.Error{Kind: function.Throttled, Message: "Rate Exceeded.", Reason: function.ReasonAccount}
	case err != nil:
		return &function.Error{Kind: function.Unavailable, Message: err.Error()}
	}
	return nil
}

// checkPayload finds a payload that is too large or isn't JSON. An empty one
// stands for the empty object.
func checkPayload(payload []byte, asynchronous bool) error {
	switch {
	case asynchronous && len(payload) > maxEventBytes:
		return tooLarge("%d byte payload is too large for the Event invocation type (limit %d bytes)", len(payload), maxEventBytes)
	case len(payload) > maxRequestBytes:
		return tooLarge("Request must be smaller than %d bytes for the InvokeFunction operation", maxRequestBytes)
	case len(payload) == 0 || json.Valid(payload):
		return nil
	}
	var v any
	err := json.Unmarshal(payload, &v)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		before := payload[:min(syntax.Offset, int64(len(payload)))]
		line := bytes.Count(before, []byte("\n")) + 1
		column := len(before) - bytes.LastIndexByte(before, '\n') - 1
		return api.NewInvalidRequestContentException(fmt.Sprintf("Could not parse request body into json: Could not parse payload into json: %s; line: %d, column: %d", syntax, line, column))
	}
	return api.NewInvalidRequestContentException("Could not parse request body into json: Could not parse payload into json")
}

// decodeClientContext reads the X-Amz-Client-Context header.
func decodeClientContext(encoded *string) ([]byte, error) {
	if str(encoded) == "" {
		return nil, nil
	}
	if len(*encoded) > maxContextBytes {
		return nil, tooLarge("The client context must be at most %d bytes", maxContextBytes)
	}
	plain, err := base64.StdEncoding.DecodeString(*encoded)
	if err != nil || !json.Valid(plain) {
		return nil, api.NewInvalidRequestContentException("Client context must be a valid Base64-encoded JSON object.")
	}
	return plain, nil
}

func throttled(message, reason string) *awswire.Error {
	return api.NewTooManyRequestsException(message).With("Reason", reason)
}

// invokeError is AWS's answer to an invocation that never reached the function.
func invokeError(t target, err error) error {
	if errors.Is(err, ErrNotFound) {
		return functionNotFound(t.arn())
	}
	var refused *function.Error
	if !errors.As(err, &refused) {
		return err
	}
	var out *awswire.Error
	switch refused.Kind {
	case function.Throttled:
		return throttled(refused.Message, refused.Reason)
	case function.RequestTooLarge:
		return tooLarge("Request must be smaller than %d bytes for the InvokeFunction operation", maxRequestBytes)
	case function.UnsupportedRuntime, function.InterpreterMissing:
		out = api.NewInvalidRuntimeException(refused.Message)
	default:
		out = api.NewServiceException(refused.Message)
	}
	out.Cause = refused
	return out
}
