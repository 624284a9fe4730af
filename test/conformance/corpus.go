package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A File is one area of behaviour, such as routing.
type File struct {
	// Name is the file's without its extension, Path where it lies.
	Name, Path string `yaml:"-"`

	// Fails marks all cases that have no mark of their own. It is for files whose
	// subject is being built: single cases may pass, when all do that is an error.
	Fails string `yaml:"fails"`
	// Setup is shared by the cases; what is in it is made when a case first
	// needs it.
	Setup Setup   `yaml:"setup"`
	Cases []*Case `yaml:"cases"`
}

// Members are the members of an AWS operation's input by their names on the
// wire.
type Members map[string]any

// A Setup is what cases talk to. Everything has a name, by which $(…) finds it.
type Setup struct {
	Functions map[string]Function `yaml:"functions"`
	LogGroups []string            `yaml:"logGroups"`
	APIs      map[string]API      `yaml:"apis"`
	RestAPIs  map[string]RestAPI  `yaml:"restApis"`
	// SocketAPIs are WebSocket APIs.
	SocketAPIs map[string]SocketAPI `yaml:"webSocketApis"`
	// Users and Roles are those of IAM.
	Users map[string]Principal `yaml:"users"`
	Roles map[string]Principal `yaml:"roles"`
	// Issuers are OpenID Connect issuers, Tokens what they sign.
	Issuers   map[string]Issuer   `yaml:"issuers"`
	Tokens    map[string]Token    `yaml:"tokens"`
	UserPools map[string]UserPool `yaml:"userPools"`
	// UsagePlans are members of CreateUsagePlan; name needn't be there.
	UsagePlans map[string]Members `yaml:"usagePlans"`
	APIKeys    map[string]APIKey  `yaml:"apiKeys"`
	Domains    map[string]Domain  `yaml:"domains"`
	// Certificates are made by the runner, Imports are those of them that are
	// imported into ACM.
	Certificates map[string]Certificate `yaml:"certificates"`
	Imports      map[string]Import      `yaml:"imports"`
	Truststores  map[string]Truststore  `yaml:"truststores"`
}

// A Function is a Lambda function.
type Function struct {
	// File is the Node.js module in functions/ that exports the handler.
	File string `yaml:"file"`
	// Permitted is whether API Gateway may invoke it; absent means yes.
	Permitted *bool `yaml:"permitted"`
	// Members are further members of CreateFunction.
	Members Members `yaml:",inline"`
}

// An API is an HTTP API with its parts, which are made in the order of the
// fields: members of CreateAuthorizer, CreateIntegration, CreateRoute,
// CreateDeployment and CreateStage.
type API struct {
	// Members are those of CreateApi; name and protocolType needn't be there.
	Members      Members            `yaml:",inline"`
	Authorizers  map[string]Members `yaml:"authorizers"`
	Integrations map[string]Members `yaml:"integrations"`
	Routes       []Members          `yaml:"routes"`
	Deployments  map[string]Members `yaml:"deployments"`
	// Stages is by default one stage named $default that deploys automatically.
	Stages []Members `yaml:"stages"`
}

// A Case is one fact: what is asked and what AWS answers.
type Case struct {
	Name     string   `yaml:"name"`
	Evidence Evidence `yaml:"evidence"`
	// Fails is why Gatehouse doesn't pass yet. A marked case that passes is an
	// error.
	Fails string `yaml:"fails"`
	// Private gives the case a setup of its own instead of the shared one,
	// because it changes it.
	Private bool `yaml:"private"`
	// Setup is added to the file's for this case alone.
	Setup Setup `yaml:"setup"`
	// A case is one step, or has several under steps.
	Step  `yaml:",inline"`
	Steps []*Step `yaml:"steps"`

	line int
}

// Evidence says how a fact about AWS is known.
type Evidence struct {
	// Source is "recorded" (real AWS answered so, and somebody published it),
	// "documented", "reported" (by users or by other implementations) or
	// "unverified".
	Source string `yaml:"source"`
	// Where says where it can be read, or why it is believed.
	Where string `yaml:"where"`
}

// A Step is a request or an AWS operation, and what must come of it.
type Step struct {
	// API names the API that a request goes to; "main" by default. Steps take
	// over their case's.
	API string `yaml:"api"`
	// Request is the text of an HTTP request: request line, header lines, an
	// empty line and the body.
	Request string `yaml:"request"`
	// HTTP2 sends the request over HTTP/2, and so over TLS.
	HTTP2 bool `yaml:"http2"`
	// VPCE sends the request over a VPC endpoint.
	VPCE bool `yaml:"vpce"`
	// TLS is how the client of a request or a handshake shakes hands; alone it is
	// the step.
	TLS *TLS `yaml:"tls"`
	// Offers are what clients have that do nothing but shake hands.
	Offers *Offer `yaml:"offers"`
	// Hello is the first message of a handshake, and what the server answers.
	Hello *Hello `yaml:"hello"`
	// Connection names a connection that is kept for the case's further steps.
	Connection string `yaml:"connection"`
	// Bare adds nothing to the request.
	Bare bool `yaml:"bare"`
	// Call names an AWS operation, as in "CreateRoute" or "logs:GetLogEvents";
	// With are its members.
	Call string  `yaml:"call"`
	With Members `yaml:"with"`
	// Stage is the stage of a WebSocket API whose management API is called; test
	// by default.
	Stage string `yaml:"stage"`
	// Within is for how many seconds a request is repeated until what is expected
	// comes true; 0 is once.
	Within int `yaml:"within"`
	// Crowd sends the request from many clients at once.
	Crowd *Crowd `yaml:"crowd"`
	// Sign signs the request, the handshake or the call.
	Sign *Sign `yaml:"sign"`

	// Socket names the WebSocket connection that the step is about; "main" by
	// default.
	Socket string `yaml:"socket"`
	// Connect is the text of a handshake: the target and header lines. It
	// succeeds unless something else is expected.
	Connect string   `yaml:"connect"`
	Send    *Send    `yaml:"send"`
	Receive *Receive `yaml:"receive"`
	Close   *Close   `yaml:"close"`
	// Drop ends the connection without a word.
	Drop bool `yaml:"drop"`
	// Saw is what a function or the backend got, Logged what a log did.
	Saw    *Saw    `yaml:"saw"`
	Logged *Logged `yaml:"logged"`
	// Issuer changes an issuer, or says what it must have been asked.
	Issuer *IssuerStep `yaml:"issuer"`
	// Different are names of values that must all differ.
	Different []string `yaml:"different"`

	Expect *Expect `yaml:"expect"`
}

// An Expect is what an answer must be. What it leaves out isn't looked at.
type Expect struct {
	Status int `yaml:"status"`
	// Headers are by name: a text is the one line there is, a list the lines in
	// order, $(absent) none.
	Headers map[string]any `yaml:"headers"`
	// Lines are header lines, exactly so and in this order; others may stand
	// between them.
	Lines []string `yaml:"lines"`
	// Body is the whole body.
	Body *string `yaml:"body"`
	// Matches is a regular expression that the body has to match.
	Matches string `yaml:"matches"`
	// JSON is what the body's document has to contain, ExactJSON the document.
	JSON      any `yaml:"json"`
	ExactJSON any `yaml:"exactJson"`
	// Received is what reached the backend that echoes.
	Received *Received `yaml:"received"`
	// Log is the line of the access log.
	Log *Log `yaml:"log"`
	// ExecutionLog is what the execution log of a REST API's stage gets.
	ExecutionLog *ExecutionLog `yaml:"executionLog"`
	// Error and Message are the code and the text of an AWS operation's error.
	Error   string `yaml:"error"`
	Message string `yaml:"message"`
	// TLS is what hands were shaken on. Refused is that the connection ends before
	// anything is answered.
	TLS     *ExpectTLS `yaml:"tls"`
	Refused bool       `yaml:"refused"`
}

// Received is a request as a backend has it before it.
type Received struct {
	// Line is the request line.
	Line string `yaml:"line"`
	// Headers, Lines and Body are like those of an Expect.
	Headers map[string]any `yaml:"headers"`
	Lines   []string       `yaml:"lines"`
	Body    *string        `yaml:"body"`
}

// A Log is a line that an access log must get.
type Log struct {
	Group string `yaml:"group"`
	Line  string `yaml:"line"`
}

// An ExecutionLog is lines that an execution log must get for a request.
type ExecutionLog struct {
	// Stage is the stage that logs, as in "test" or "test/Canary".
	Stage string `yaml:"stage"`
	// Lines are without the request id at their front, in order; others may stand
	// between them, unless Exact is set.
	Lines []string `yaml:"lines"`
	Exact bool     `yaml:"exact"`
}

// defaultAPI is the API that requests go to unless a case names another.
const defaultAPI = "main"

// defaultStage is the stage of WebSocket APIs.
const defaultStage = "test"

// Load reads the files of a directory, in the order of their names.
func Load(dir string) ([]*File, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	var files []*File
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		f, err := parse(path, text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		files = append(files, f)
	}
	return files, nil
}

func parse(path string, text []byte) (*File, error) {
	f := &File{Path: path, Name: strings.TrimSuffix(filepath.Base(path), ".yaml")}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(f); err != nil {
		return nil, err
	}
	// The decoder that knows the fields doesn't tell the lines.
	var lines struct{ Cases []yaml.Node }
	if err := yaml.Unmarshal(text, &lines); err != nil {
		return nil, err
	}
	problems := f.Setup.checkNames()
	names := map[string]bool{}
	for i, c := range f.Cases {
		c.line = lines.Cases[i].Line
		problems = append(problems, c.Setup.checkNames()...)
		if err := c.finish(); err != nil {
			problems = append(problems, fmt.Errorf("line %d: %w", c.line, err))
		}
		if names[c.Name] {
			problems = append(problems, fmt.Errorf("line %d: a second case %q", c.line, c.Name))
		}
		names[c.Name] = true
	}
	return f, errors.Join(problems...)
}

// reserved are what placeholders name that isn't made by a setup's APIs.
var reserved = []string{
	"account", "apiKeys", "backend", "bucket", "certificates", "domains", "functions", "imports", "issuers", "logGroups", "masked", "region", "role", "roles", "today", "tokens", "vpcId", "vpceId",
	"truststores", "unique", "usagePlans", "userPools", "users",
}

// checkNames refuses APIs that have the name of something else.
func (s *Setup) checkNames() []error {
	var problems []error
	for _, names := range [][]string{sortedKeys(s.APIs), sortedKeys(s.RestAPIs), sortedKeys(s.SocketAPIs)} {
		for _, name := range names {
			if slices.Contains(reserved, name) {
				problems = append(problems, fmt.Errorf("an API can't be called %s", name))
			}
		}
	}
	return problems
}

// finish fills in defaults and refuses what couldn't fail or says nothing.
func (c *Case) finish() error {
	if c.API == "" {
		c.API = defaultAPI
	}
	single := c.Step.kind() != ""
	switch {
	case c.Name == "":
		return errors.New("a case without a name")
	case !slices.Contains([]string{"recorded", "documented", "reported", "unverified"}, c.Evidence.Source):
		return fmt.Errorf("%q isn't a source of evidence", c.Evidence.Source)
	case c.Evidence.Where == "":
		return errors.New("the evidence doesn't say where")
	case single == (len(c.Steps) > 0):
		return errors.New("a case has a request, a call, a connect or steps")
	case single:
		c.Steps = []*Step{&c.Step}
	case c.Expect != nil:
		return errors.New("what to expect stands beside the steps")
	}
	expects := false
	for i, s := range c.Steps {
		if s.API == "" {
			s.API = c.API
		}
		s.Socket, s.Stage = or(s.Socket, defaultSocket), or(s.Stage, defaultStage)
		if err := s.check(); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
		expects = expects || s.Expect != nil || s.Receive != nil || s.Close != nil || s.Saw != nil || s.Logged != nil || s.Different != nil || s.Crowd != nil || s.Offers != nil || s.Hello != nil
	}
	if !expects {
		return errors.New("nothing is expected")
	}
	return nil
}

// kind is what a step does, "" if it is nothing or more than one thing.
func (s *Step) kind() string {
	kind := ""
	for _, k := range []struct {
		name string
		is   bool
	}{
		{"request", s.Request != ""}, {"call", s.Call != ""}, {"connect", s.Connect != ""}, {"send", s.Send != nil}, {"receive", s.Receive != nil},
		{"close", s.Close != nil}, {"drop", s.Drop}, {"saw", s.Saw != nil}, {"logged", s.Logged != nil}, {"issuer", s.Issuer != nil},
		{"different", s.Different != nil}, {"offers", s.Offers != nil}, {"hello", s.Hello != nil}, {"tls", s.TLS != nil && s.Request == "" && s.Connect == ""},
	} {
		switch {
		case k.is && kind != "":
			return ""
		case k.is:
			kind = k.name
		}
	}
	return kind
}

func (s *Step) check() error {
	if s.Sign != nil && s.Sign.As == "" && (s.Sign.Key == "" || s.Sign.Secret == "") {
		return errors.New("who signs is said by as, or by key and secret")
	}
	if s.Sign != nil && s.Call != "" && !reflect.DeepEqual(*s.Sign, Sign{As: s.Sign.As}) {
		return errors.New("of a call is only said as whom it is signed")
	}
	switch kind := s.kind(); kind {
	case "":
		return errors.New("a step is one of request, call, connect, send, receive, close, drop, saw, logged, issuer, different, offers, hello and tls")
	case "request", "call", "tls":
	case "connect":
		if err := s.checkTLS(); err != nil {
			return err
		}
		if s.Expect != nil && (s.Expect.Status == 0 && !s.Expect.Refused || s.Expect.Error != "" || s.Expect.Message != "") {
			return errors.New("of a handshake a status is expected, and no error of a call")
		}
		return nil
	default:
		return s.checkSocket(kind)
	}
	if err := s.checkTLS(); err != nil {
		return err
	}
	switch {
	case s.With != nil && s.Call == "":
		return errors.New("members without a call")
	case s.Within != 0 && (s.Request == "" || s.Expect == nil || s.Expect.Log != nil || s.Expect.ExecutionLog != nil):
		return errors.New("within is for requests, and what is expected of their answers")
	case s.HTTP2 && s.Call != "":
		return errors.New("http2 is for requests")
	case s.VPCE && (s.Request == "" || s.Connection != "" || s.Crowd != nil):
		return errors.New("vpce is for requests over connections of their own")
	case s.Crowd != nil:
		if s.Request == "" || s.HTTP2 || s.Expect != nil || s.Crowd.Clients < 2 || len(s.Crowd.Statuses) == 0 {
			return errors.New("a crowd sends a request and expects statuses")
		}
	case s.Expect == nil:
		if s.Request != "" {
			return errors.New("a request without an expectation")
		}
	case s.Request != "" && s.Expect.Status == 0 && !s.Expect.Refused:
		return errors.New("a request's status is always expected")
	case s.Request != "" && (s.Expect.Error != "" || s.Expect.Message != ""):
		return errors.New("error and message are those of a call")
	case s.Call != "" && (s.Expect.Log != nil || s.Expect.ExecutionLog != nil || s.Expect.Received != nil):
		return errors.New("logs and received are those of a request")
	case s.Expect.ExecutionLog != nil && (s.Expect.ExecutionLog.Stage == "" || len(s.Expect.ExecutionLog.Lines) == 0):
		return errors.New("an execution log has a stage and lines")
	}
	return nil
}

// checkTLS checks what a step says of handshakes.
func (s *Step) checkTLS() error {
	kind := s.kind()
	if s.TLS != nil {
		if err := s.TLS.check(); err != nil {
			return err
		}
	}
	switch {
	case kind != "request" && (s.Connection != "" || s.Bare):
		return errors.New("connection and bare are of requests")
	case s.Connection != "" && (s.HTTP2 || s.Crowd != nil):
		return errors.New("a connection is kept for single requests of HTTP/1.1")
	case kind == "tls" && (s.Expect == nil || s.Expect.TLS == nil && !s.Expect.Refused):
		return errors.New("of a handshake alone is expected what it comes to")
	case s.Expect == nil:
		return nil
	case s.Expect.Refused && (s.Call != "" || s.Expect.Status != 0 || s.Expect.TLS != nil):
		return errors.New("who is refused gets nothing else")
	case s.Expect.TLS != nil && s.TLS == nil && !s.HTTP2:
		return errors.New("what hands were shaken on is expected without a handshake")
	case s.Expect.TLS != nil && s.Expect.TLS.Suite != "" && suites[s.Expect.TLS.Suite] == 0:
		return fmt.Errorf("%q is no suite that can be had here", s.Expect.TLS.Suite)
	}
	return nil
}

// checkSocket checks a step that neither asks nor connects.
func (s *Step) checkSocket(kind string) error {
	one := func(set ...bool) bool {
		n := 0
		for _, is := range set {
			if is {
				n++
			}
		}
		return n == 1
	}
	switch {
	case s.Sign != nil:
		return fmt.Errorf("sign is for requests, calls and connects, not for %s", kind)
	case kind == "offers":
		return s.Offers.check()
	case kind == "hello":
		return s.Hello.check()
	case kind == "different" && len(s.Different) < 2:
		return errors.New("different has two names or more")
	case s.Expect != nil:
		return fmt.Errorf("expect is for requests, calls and connects, not for %s", kind)
	case kind == "send" && !one(s.Send.Text != nil, s.Send.Frames != nil, s.Send.Bytes != ""):
		return errors.New("send has a text, frames or bytes")
	case kind == "receive" && !one(s.Receive.Text != nil || s.Receive.Matches != "" || s.Receive.JSON != nil || s.Receive.ExactJSON != nil || s.Receive.Received != nil || s.Receive.Sizes != nil,
		s.Receive.Bytes != "", s.Receive.Close != nil, s.Receive.End, s.Receive.Nothing > 0):
		return errors.New("receive has a message, bytes, a close, the end or nothing")
	case kind == "receive" && s.Receive.Reason != nil && s.Receive.Close == nil:
		return errors.New("a reason is that of a close")
	case kind == "saw" && (len(s.Saw.Marks) == 0 || !one(s.Saw.JSON != nil || s.Saw.ExactJSON != nil, s.Saw.Received != nil, s.Saw.Never > 0, s.Saw.Times > 0)):
		return errors.New("saw has marks, and json, received, times or never")
	case kind == "logged" && (len(s.Logged.Marks) == 0 || s.Logged.Line == ""):
		return errors.New("logged has marks and a line")
	}
	return nil
}
