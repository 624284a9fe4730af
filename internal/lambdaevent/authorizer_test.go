package lambdaevent

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"gatehouse/internal/plan"
)

const testARN = "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/stage/METHOD/path"

// identityOf are the values of the headers x-auth, in place of identity sources.
func identityOf(x *plan.Exchange) []string {
	var values []string
	for _, h := range x.Request.Headers {
		if plan.EqualFold(h.Name, "x-auth") {
			values = append(values, h.Value)
		}
	}
	return values
}

func TestAuthorizerRESTGolden(t *testing.T) {
	eventGolden(t, "authorizerrest", func(dst []byte, x *plan.Exchange) []byte { return AuthorizerREST(dst, unread(x), testARN) })
}

func TestAuthorizerHTTP10Golden(t *testing.T) {
	eventGolden(t, "authorizerhttp10", func(dst []byte, x *plan.Exchange) []byte {
		return AuthorizerHTTP10(dst, unread(x), testARN, identityOf(x))
	})
}

func TestAuthorizerHTTP20Golden(t *testing.T) {
	eventGolden(t, "authorizerhttp20", func(dst []byte, x *plan.Exchange) []byte {
		return AuthorizerHTTP20(dst, unread(x), testARN, identityOf(x))
	})
}

func TestAuthorizerWebSocketGolden(t *testing.T) {
	eventGolden(t, "authorizerwebsocket", func(dst []byte, x *plan.Exchange) []byte {
		return AuthorizerWebSocket(dst, unread(x), testARN)
	})
}

// unread makes the body of an exchange one that nobody has read yet.
func unread(x *plan.Exchange) *plan.Exchange {
	x.Request.ContentLength = int64(len(x.Request.Body))
	x.Request.BodyReader, x.Request.Body = bytes.NewReader(x.Request.Body), nil
	return x
}

func TestAuthorizerToken(t *testing.T) {
	got := string(AuthorizerToken(nil, testARN, "Bearer \"x\"\xff"))
	if want := `{"type":"TOKEN","methodArn":"` + testARN + `","authorizationToken":"Bearer \"x\"` + "\ufffd" + `"}`; got != want {
		t.Errorf("got %s", got)
	}
}

// An answer's golden file is what was read of it.
func answerGolden(t *testing.T, folder string, read func([]byte) (AuthorizerAnswer, error)) {
	golden(t, folder, ".json", ".txt", func(t *testing.T, input []byte) []byte {
		result := bytes.TrimSuffix(cutComments(input), []byte("\n"))
		before := bytes.Clone(result)
		a, err := read(result)
		if !bytes.Equal(result, before) {
			t.Errorf("the result was changed to %s", result)
		}
		if err != nil {
			return fmt.Appendf(nil, "error: %v\n", err)
		}
		return []byte(describe(a))
	})
}

func describe(a AuthorizerAnswer) string {
	var b strings.Builder
	fmt.Fprintf(&b, "principal %q\npolicy %s\nallowed %t\nkey %q\n", a.PrincipalID, a.Policy, a.Allowed, a.UsageIdentifierKey)
	for _, v := range a.Context {
		fmt.Fprintf(&b, "%s: %s | %s\n", v.Name, v.Text, v.JSON)
	}
	return b.String()
}

func TestRESTAnswerGolden(t *testing.T)      { answerGolden(t, "restanswer", RESTAnswer) }
func TestWebSocketAnswerGolden(t *testing.T) { answerGolden(t, "websocketanswer", WebSocketAnswer) }
func TestHTTPAnswer10Golden(t *testing.T)    { answerGolden(t, "httpanswer10", HTTPAnswer10) }
func TestHTTPAnswer20Golden(t *testing.T)    { answerGolden(t, "httpanswer20", HTTPAnswer20) }
func TestSimpleAnswerGolden(t *testing.T)    { answerGolden(t, "simpleanswer", SimpleAnswer) }

func TestWebSocketAnswerLength(t *testing.T) {
	answer := `{"policyDocument":{},"principalId":"` + strings.Repeat("p", MaxWebSocketAnswer) + `"}`
	if _, err := WebSocketAnswer([]byte(answer)); err == nil {
		t.Error("an answer over 8 KB is taken")
	}
	if a, err := RESTAnswer([]byte(answer)); err != nil || len(a.PrincipalID) != MaxWebSocketAnswer {
		t.Errorf("a REST API refuses it: %v", err)
	}
}

// Whatever a function answers is read without a panic, leaves the result as it
// is, and gives values that can stand in an event.
func FuzzAuthorizerAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"principalId":"me","policyDocument":{"Version":"2012-10-17","Statement":[]},"context":{"a":1,"b":"\ud800","c":true},"usageIdentifierKey":"k"}`,
		`{"isAuthorized":true,"context":{"a":[1, {"x": null}],"b":null,"a":"again"}}`,
		`{"errorType":"x"}`, `null`, `{"context":{"claims":1},"policyDocument":{}} `, `{"policyDocument":"{}"}`, "{\"context\":{\"a\":\"\xff\",\"b\":[\"\xff\"]},\"policyDocument\":{}}",
		`{"context":[],"policyDocument":{}}`, strings.Repeat("[", 20000),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, result []byte) {
		before := bytes.Clone(result)
		for name, read := range map[string]func([]byte) (AuthorizerAnswer, error){
			"rest": RESTAnswer, "websocket": WebSocketAnswer, "http10": HTTPAnswer10, "http20": HTTPAnswer20, "simple": SimpleAnswer,
		} {
			a, err := read(result)
			if !bytes.Equal(result, before) {
				t.Fatalf("%s changed the result", name)
			}
			if !json.Valid(result) && err == nil {
				t.Fatalf("%s takes what isn't JSON", name)
			}
			if err != nil {
				if !isZero(a) {
					t.Errorf("%s: an answer beside an error", name)
				}
				continue
			}
			if a.Policy != "" && !json.Valid([]byte(a.Policy)) {
				t.Errorf("%s: policy %q", name, a.Policy)
			}
			seen := map[string]bool{}
			for _, v := range a.Context {
				if !json.Valid([]byte(v.JSON)) || seen[v.Name] {
					t.Errorf("%s: value %+v", name, v)
				}
				seen[v.Name] = true
				if text := ""; name == "rest" && (json.Unmarshal([]byte(v.JSON), &text) != nil || text != v.Text) {
					t.Errorf("a REST API's value %+v", v)
				}
			}
		}
	})
}

func isZero(a AuthorizerAnswer) bool {
	return a.PrincipalID == "" && a.Policy == "" && !a.Allowed && a.Context == nil && a.UsageIdentifierKey == ""
}

// The events of authorizers are JSON whatever the client sends.
func FuzzAuthorizerEvent(f *testing.F) {
	f.Add("/a%20b", "x=1&x=%22;y&=", "X-Auth", "v\xff\"", "c=d; e")
	f.Fuzz(func(t *testing.T, path, query, name, value, cookie string) {
		if !strings.HasPrefix(path, "/") || !isToken(name) {
			return
		}
		x := parseExchange(t, []byte("@method ANY /{p+}\nGET /dev/x HTTP/1.1\nHost: a1b2c3d4e5.execute-api.localhost\n\n"))
		x.StagePath, x.GatewayPath, x.Params = path, "/dev"+path, []string{path[1:]}
		x.Request.Query = query
		x.Request.Headers = append(x.Request.Headers, plan.Header{Name: name, Value: value}, plan.Header{Name: "Cookie", Value: cookie})
		socket := parseExchange(t, []byte("@event CONNECT $connect\nGET /dev?auth=1 HTTP/1.1\nHost: a1b2c3d4e5.execute-api.localhost\n\n"))
		socket.Request.Headers, socket.Request.Query = x.Request.Headers, query
		identity := []string{value, query}
		for kind, event := range map[string][]byte{
			"token": AuthorizerToken(nil, testARN+path, value), "rest": AuthorizerREST(nil, x, testARN),
			"http10": AuthorizerHTTP10(nil, x, testARN, identity), "http20": AuthorizerHTTP20(nil, x, testARN, identity),
			"websocket": AuthorizerWebSocket(nil, socket, testARN),
		} {
			var members map[string]json.RawMessage
			if err := json.Unmarshal(event, &members); err != nil {
				t.Errorf("%s: %v in %s", kind, err, event)
			}
		}
	})
}
