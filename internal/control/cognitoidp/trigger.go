package cognitoidp

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/awswire"
)

// An Invoker runs the functions that pools trigger.
type Invoker interface {
	// Trigger invokes a function for the pool with the ARN and returns its reply.
	// functionError is set, and the reply is its description, where the function
	// failed; err is for a function that couldn't be run.
	Trigger(ctx context.Context, functionARN, poolARN string, event []byte) (reply []byte, functionError string, err error)
}

// triggerTime is how long Cognito waits for a function.
const triggerTime = 5 * time.Second

// A triggerEvent is what a function gets, and gives back with a response.
type triggerEvent struct {
	Version       string        `json:"version"`
	TriggerSource string        `json:"triggerSource"`
	Region        string        `json:"region"`
	UserPoolID    string        `json:"userPoolId"`
	UserName      string        `json:"userName"`
	CallerContext callerContext `json:"callerContext"`
	Request       any           `json:"request"`
	Response      any           `json:"response"`
}

type callerContext struct {
	SDKVersion string `json:"awsSdkVersion"`
	ClientID   string `json:"clientId"`
}

// noClientID is the client id of what an administrator does.
const noClientID = "CLIENT_ID_NOT_APPLICABLE"

// trigger invokes a function, if the pool has it, and reads its response. version
// is that of the event.
func (s *Service) trigger(c *awswire.Call, p *Pool, cl *Client, function *string, version, source, username string, request, response any) error {
	if value(function) == "" {
		return nil
	}
	name, _, _ := strings.Cut(source, "_")
	if s.functions == nil {
		return api.NewUnexpectedLambdaException(name + " invocation failed: there are no functions.")
	}
	event := triggerEvent{
		Version: version, TriggerSource: source, Region: p.Scope.Region, UserPoolID: p.ID, UserName: username,
		CallerContext: callerContext{"aws-sdk-unknown-unknown", noClientID}, Request: request, Response: response,
	}
	if cl != nil {
		event.CallerContext.ClientID = cl.ID
	}
	payload, err := json.Marshal(event)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c, triggerTime)
	defer cancel()
	reply, functionError, err := s.functions.Trigger(ctx, *function, *p.Settings.Arn, payload)
	if err != nil {
		s.log.Warn("a function of a user pool couldn't be run", "pool", p.ID, "trigger", source, "function", *function, "error", err)
		return api.NewUnexpectedLambdaException(name + " invocation failed due to error: " + reasonOf(err) + ".")
	}
	if functionError != "" {
		var failure struct {
			Message string `json:"errorMessage"`
		}
		if json.Unmarshal(reply, &failure) != nil || failure.Message == "" {
			failure.Message = functionError
		}
		return api.NewUserLambdaValidationException(name + " failed with error " + failure.Message + ".")
	}
	var out struct {
		Response json.RawMessage `json:"response"`
	}
	if json.Unmarshal(reply, &out) != nil {
		return api.NewInvalidLambdaResponseException("Unrecognizable lambda output")
	}
	if len(out.Response) == 0 || string(out.Response) == "null" {
		return nil
	}
	if json.Unmarshal(out.Response, response) != nil {
		return api.NewInvalidLambdaResponseException("Unrecognizable lambda output")
	}
	return nil
}

// reasonOf is what a client may know of a failure of ours.
func reasonOf(err error) string {
	if code, ok := awsCode(err); ok {
		return code
	}
	return "the function couldn't be run"
}

// attributeMap are attributes as events carry them.
func attributeMap(attributes []api.AttributeType) map[string]string {
	m := map[string]string{}
	for _, a := range attributes {
		m[*a.Name] = value(a.Value)
	}
	return m
}

// withStatus are the attributes of a user that is there, with its status.
func (u *user) withStatus() map[string]string {
	m := attributeMap(u.all())
	m["cognito:user_status"] = u.Status
	return m
}

type signUpRequest struct {
	UserAttributes map[string]string `json:"userAttributes"`
	ValidationData map[string]string `json:"validationData"`
	ClientMetadata map[string]string `json:"clientMetadata,omitempty"`
}

type signUpResponse struct {
	Confirm     bool `json:"autoConfirmUser"`
	VerifyEmail bool `json:"autoVerifyEmail"`
	VerifyPhone bool `json:"autoVerifyPhone"`
}

// preSignUp asks a function about a new user.
func (s *Service) preSignUp(c *awswire.Call, p *Pool, cl *Client, source string, u *user, validation []api.AttributeType, metadata map[string]string) (signUpResponse, error) {
	var out signUpResponse
	in := signUpRequest{UserAttributes: attributeMap(u.Attributes), ClientMetadata: metadata}
	if len(validation) > 0 {
		in.ValidationData = attributeMap(validation)
	}
	err := s.trigger(c, p, cl, p.Settings.LambdaConfig.PreSignUp, "1", source, u.Username, in, &out)
	return out, err
}

type userRequest struct {
	UserAttributes map[string]string `json:"userAttributes"`
	ValidationData map[string]string `json:"validationData,omitempty"`
	NewDeviceUsed  *bool             `json:"newDeviceUsed,omitempty"`
	UserNotFound   *bool             `json:"userNotFound,omitempty"`
	ClientMetadata map[string]string `json:"clientMetadata,omitempty"`
}

// postConfirmation tells a function of a user that is confirmed.
func (s *Service) postConfirmation(c *awswire.Call, p *Pool, cl *Client, source string, u *user, metadata map[string]string) error {
	in := userRequest{UserAttributes: u.withStatus(), ClientMetadata: metadata}
	return s.trigger(c, p, cl, p.Settings.LambdaConfig.PostConfirmation, "1", source, u.Username, in, &struct{}{})
}

// preAuthentication asks a function whether a user may try to sign in.
func (s *Service) preAuthentication(a *attempt, u *user) error {
	in := userRequest{UserAttributes: u.withStatus(), ValidationData: a.metadata, UserNotFound: new(false)}
	return s.trigger(a.c, a.pool, a.client, a.pool.Settings.LambdaConfig.PreAuthentication, "1", "PreAuthentication_Authentication", u.Username, in, &struct{}{})
}

// postAuthentication tells a function of a user that has signed in.
func (s *Service) postAuthentication(a *attempt, u *user) error {
	in := userRequest{UserAttributes: u.withStatus(), NewDeviceUsed: new(false), ClientMetadata: a.metadata}
	return s.trigger(a.c, a.pool, a.client, a.pool.Settings.LambdaConfig.PostAuthentication, "1", "PostAuthentication_Authentication", u.Username, in, &struct{}{})
}
