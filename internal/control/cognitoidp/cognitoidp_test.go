package cognitoidp_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/cognitoidp"
	"gatehouse/internal/seal"
	"gatehouse/internal/store"
	"gatehouse/internal/store/sqlite"
	"gatehouse/internal/userpool"
)

const (
	account  = "123456789012"
	password = "Passw0rd!"
)

// keys are made once for all tests: RSA takes its time. Pools made one after the
// other have different ones.
var keys = &keyRing{}

type keyRing struct {
	mu   sync.Mutex
	made []*userpool.SigningKey
	n    int
}

func (k *keyRing) next(random io.Reader) (*userpool.SigningKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.n++; len(k.made) < 6 {
		key, err := userpool.NewSigningKey(random)
		k.made = append(k.made, key)
		return key, err
	}
	return k.made[k.n%len(k.made)], nil
}

// A fixture is a service on a database of its own. Its call is made over and
// over; time is moved by hand.
type fixture struct {
	*cognitoidp.Service
	*awswire.Call
	t         testing.TB
	directory *cognitoidp.Directory
	functions *fakeFunctions
	codes     []cognitoidp.Code
	pool      string
	store     *store.Store
	close     func()
	onKey     func() // before a signing key is made
}

func open(t testing.TB, dir string) *fixture {
	t.Helper()
	db, err := sqlite.Open(context.Background(), dir)
	ok(t, err)
	sealer, err := seal.New(bytes.Repeat([]byte{7}, 32))
	ok(t, err)
	f := &fixture{t: t, directory: cognitoidp.NewDirectory(), functions: &fakeFunctions{}}
	s, err := store.Open(context.Background(), db, store.Options{Sealer: sealer, Prepare: f.directory.Prepare})
	ok(t, err)
	ok(t, s.View(context.Background(), f.directory.Load))
	f.store = s
	f.Service, err = cognitoidp.New(cognitoidp.Options{
		NewKey: func(random io.Reader) (*userpool.SigningKey, error) {
			if f.onKey != nil {
				f.onKey()
			}
			return keys.next(random)
		},
		Store: s, Directory: f.directory, Sealer: sealer, Functions: f.functions,
		Codes:    func(c cognitoidp.Code) { f.codes = append(f.codes, c) },
		Reserved: func(name string) bool { return name == "gateway.example.com" },
	})
	ok(t, err)
	f.close = sync.OnceFunc(func() { f.Service.Close(); s.Close() })
	t.Cleanup(f.close)
	f.Call = &awswire.Call{Context: context.Background(), Account: account, Region: "eu-central-1", Time: time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)}
	return f
}

// newFixture has a pool, made as in asks.
func newFixture(t *testing.T, in *api.CreateUserPoolRequest) *fixture {
	t.Helper()
	f := open(t, t.TempDir())
	if in == nil {
		in = &api.CreateUserPoolRequest{AutoVerifiedAttributes: []string{"email"}}
	}
	in.PoolName = new("pool")
	out, err := f.CreateUserPool(f.Call, in)
	ok(t, err)
	f.pool = *out.UserPool.Id
	return f
}

// client makes an app client that allows everything, changed by change.
func (f *fixture) client(change func(in *api.CreateUserPoolClientRequest)) *api.UserPoolClientType {
	f.t.Helper()
	in := &api.CreateUserPoolClientRequest{UserPoolId: &f.pool, ClientName: new("client"), ExplicitAuthFlows: []string{
		api.ExplicitAuthFlowsTypeAllowUserPasswordAuth, api.ExplicitAuthFlowsTypeAllowAdminUserPasswordAuth,
		api.ExplicitAuthFlowsTypeAllowUserSrpAuth, api.ExplicitAuthFlowsTypeAllowCustomAuth, api.ExplicitAuthFlowsTypeAllowRefreshTokenAuth,
	}}
	if change != nil {
		change(in)
	}
	out, err := f.CreateUserPoolClient(f.Call, in)
	ok(f.t, err)
	return out.UserPoolClient
}

// user makes a confirmed user with the password of all.
func (f *fixture) user(name string, attributes ...api.AttributeType) {
	f.t.Helper()
	_, err := f.AdminCreateUser(f.Call, &api.AdminCreateUserRequest{UserPoolId: &f.pool, Username: &name, UserAttributes: attributes, TemporaryPassword: new("Tempor4ry!")})
	ok(f.t, err)
	_, err = f.AdminSetUserPassword(f.Call, &api.AdminSetUserPasswordRequest{UserPoolId: &f.pool, Username: &name, Password: new(password), Permanent: new(true)})
	ok(f.t, err)
}

func attr(name, value string) api.AttributeType {
	return api.AttributeType{Name: &name, Value: &value}
}

// initiate begins a sign-in; params are pairs.
func (f *fixture) initiate(cl *api.UserPoolClientType, flow string, params ...string) (*api.InitiateAuthResponse, error) {
	return f.InitiateAuth(f.Call, &api.InitiateAuthRequest{ClientId: cl.ClientId, AuthFlow: &flow, AuthParameters: pairs(params)})
}

func (f *fixture) respond(cl *api.UserPoolClientType, challenge string, session *string, answers ...string) (*api.RespondToAuthChallengeResponse, error) {
	return f.RespondToAuthChallenge(f.Call, &api.RespondToAuthChallengeRequest{ClientId: cl.ClientId, ChallengeName: &challenge, Session: session, ChallengeResponses: pairs(answers)})
}

func pairs(list []string) map[string]string {
	m := map[string]string{}
	for i := 0; i < len(list); i += 2 {
		m[list[i]] = list[i+1]
	}
	return m
}

// signIn signs a user in by the password of all.
func (f *fixture) signIn(cl *api.UserPoolClientType, name string) *api.AuthenticationResultType {
	f.t.Helper()
	out, err := f.initiate(cl, "USER_PASSWORD_AUTH", "USERNAME", name, "PASSWORD", password)
	ok(f.t, err)
	if out.AuthenticationResult == nil {
		f.t.Fatalf("challenge %v", *out.ChallengeName)
	}
	return out.AuthenticationResult
}

// lastCode is the code that was sent last.
func (f *fixture) lastCode() *string {
	f.t.Helper()
	if len(f.codes) == 0 {
		f.t.Fatal("no code was sent")
	}
	return &f.codes[len(f.codes)-1].Text
}

// status is what AdminGetUser says.
func (f *fixture) status(name string) string {
	f.t.Helper()
	out, err := f.AdminGetUser(f.Call, &api.AdminGetUserRequest{UserPoolId: &f.pool, Username: &name})
	ok(f.t, err)
	return *out.UserStatus
}

func (f *fixture) attribute(name, attribute string) string {
	f.t.Helper()
	out, err := f.AdminGetUser(f.Call, &api.AdminGetUserRequest{UserPoolId: &f.pool, Username: &name})
	ok(f.t, err)
	for _, a := range out.UserAttributes {
		if *a.Name == attribute {
			return *a.Value
		}
	}
	return ""
}

// claimsOf reads a token without checking it.
func claimsOf(t testing.TB, token *string) map[string]any {
	t.Helper()
	part := strings.Split(*token, ".")
	body, err := base64.RawURLEncoding.DecodeString(part[1])
	ok(t, err)
	var m map[string]any
	ok(t, json.Unmarshal(body, &m))
	return m
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fails wants an error with the code and a message that has the text.
func fails(t testing.TB, err error, code, text string) {
	t.Helper()
	var e *awswire.Error
	if !errors.As(err, &e) || e.Code != code || !strings.Contains(e.Message, text) {
		t.Errorf("error %v, want %s: %s", err, code, text)
	}
}

// fakeFunctions answers for functions by their ARN.
type fakeFunctions struct {
	answers map[string]func(event map[string]any) (response any, failure string)
	sources []string
	err     error
}

func (f *fakeFunctions) on(arn string, answer func(event map[string]any) (any, string)) *string {
	if f.answers == nil {
		f.answers = map[string]func(map[string]any) (any, string){}
	}
	f.answers[arn] = answer
	return &arn
}

func (f *fakeFunctions) Trigger(_ context.Context, functionARN, poolARN string, event []byte) ([]byte, string, error) {
	if f.err != nil {
		return nil, "", f.err
	}
	var m map[string]any
	if err := json.Unmarshal(event, &m); err != nil {
		return nil, "", err
	}
	f.sources = append(f.sources, m["triggerSource"].(string))
	if !strings.HasPrefix(poolARN, "arn:aws:cognito-idp:eu-central-1:"+account+":userpool/") {
		return nil, "", errors.New("not the pool's ARN: " + poolARN)
	}
	response, failure := f.answers[functionARN](m)
	if failure != "" {
		return []byte(`{"errorMessage":"` + failure + `","errorType":"Error"}`), "Unhandled", nil
	}
	if text, is := response.(string); is {
		return []byte(text), "", nil
	}
	m = maps.Clone(m)
	m["response"] = response
	reply, err := json.Marshal(m)
	return reply, "", err
}

// saw tells whether functions were invoked from a source.
func (f *fakeFunctions) saw(source string) bool { return slices.Contains(f.sources, source) }
