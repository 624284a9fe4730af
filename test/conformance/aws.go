package conformance

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"gatehouse/tools/awsgen/model"
)

// A Client calls AWS operations by name. It knows their wire forms from AWS's
// service models and signs with AWS's own signer.
type Client struct {
	endpoint    string
	region      string
	credentials aws.Credentials
	services    map[string]*service
	http        *http.Client
	// apis is for endpoints that are APIs themselves, Address where they are
	// reached, whatever their host says, if it isn't empty.
	apis    *http.Client
	Address string
}

// A service is one service's model, by name.
type service struct {
	*model.Service
	operations map[string]*model.Operation
	structures map[string]*model.Structure
}

// NewClient returns a client of an endpoint, in which {service} stands for the
// service's name. The models lie in dir.
func NewClient(endpoint, region string, credentials aws.Credentials, dir string) (*Client, error) {
	c := &Client{
		endpoint: strings.TrimSuffix(endpoint, "/"), region: region, credentials: credentials,
		services: map[string]*service{}, http: &http.Client{Timeout: answerTimeout},
	}
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, addressOf(&url.URL{Host: address}, c.Address))
	}}
	c.apis = &http.Client{Timeout: answerTimeout, Transport: transport}
	for _, name := range []string{"apigateway", "apigatewayv2", "apigatewaymanagementapi", "lambda", "logs", "iam", "sts", "cognitoidp", "acm"} {
		text, err := os.ReadFile(filepath.Join(dir, name+".json"))
		if err != nil {
			return nil, err
		}
		s := &service{operations: map[string]*model.Operation{}, structures: map[string]*model.Structure{}}
		if err := json.Unmarshal(text, &s.Service); err != nil {
			return nil, fmt.Errorf("%s.json: %w", name, err)
		}
		for _, o := range s.Operations {
			s.operations[o.Name] = o
		}
		for _, st := range s.Structures {
			s.structures[st.Name] = st
		}
		c.services[name] = s
	}
	return c, nil
}

// find returns an operation of "Operation", which is apigatewayv2's, or
// "service:Operation".
func (c *Client) find(name string) (*service, *model.Operation, error) {
	serviceName, operation, ok := strings.Cut(name, ":")
	if !ok {
		serviceName, operation = "apigatewayv2", name
	}
	s := c.services[serviceName]
	if s == nil || s.operations[operation] == nil {
		return nil, nil, fmt.Errorf("there is no operation %s", name)
	}
	return s, s.operations[operation], nil
}

// members are the members of an operation's input, by their names on the wire.
// A name that a label has already, as httpMethod of PutIntegration, is left to
// the label; the other member goes by its name in the model.
func (s *service) members(o *model.Operation) map[string]*model.Member {
	members := map[string]*model.Member{}
	if input := s.structures[o.Input]; input != nil {
		for _, m := range input.Members {
			name := s.wireName(m)
			if members[name] != nil {
				name = m.Name
			}
			members[name] = m
		}
	}
	return members
}

// wireName is a member's name on the wire. Labels have none there; they are
// written like the service's other members.
func (s *service) wireName(m *model.Member) string {
	switch {
	case m.Wire != "":
		return m.Wire
	case m.In == "label" && s.Package == "apigatewayv2":
		return strings.ToLower(m.Name[:1]) + m.Name[1:]
	}
	return m.Name
}

// Check returns why a call couldn't be sent: the operation or a member isn't
// AWS's.
func (c *Client) Check(name string, with Members) error {
	s, o, err := c.find(name)
	if err != nil {
		return err
	}
	members := s.members(o)
	for _, wire := range sortedKeys(with) {
		if members[wire] == nil {
			return fmt.Errorf("%s has no member %s", name, wire)
		}
	}
	return nil
}

// Takes tells whether an operation has an input member.
func (c *Client) Takes(name, wire string) bool {
	return c.Check(name, Members{wire: nil}) == nil
}

// Call calls an operation. What AWS answers is returned whatever it is; an
// error means that there was no answer.
func (c *Client) Call(ctx context.Context, name string, with Members) (*answer, error) {
	return c.CallAt(ctx, "", name, with)
}

// CallAt calls an operation of an endpoint of its own, the client's by default.
func (c *Client) CallAt(ctx context.Context, endpoint, name string, with Members) (*answer, error) {
	return c.CallAs(ctx, c.credentials, endpoint, name, with)
}

// CallAs is CallAt with other credentials.
func (c *Client) CallAs(ctx context.Context, as aws.Credentials, endpoint, name string, with Members) (*answer, error) {
	if err := c.Check(name, with); err != nil {
		return nil, err
	}
	s, o, err := c.find(name)
	if err != nil {
		return nil, err
	}
	req, body, err := c.request(ctx, or(endpoint, c.endpoint), s, o, with)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(ctx, as, req, hex.EncodeToString(sum[:]), s.SigningName, c.region, time.Now()); err != nil {
		return nil, err
	}
	client := c.http
	if endpoint != "" {
		client = c.apis
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	defer res.Body.Close() //nolint:errcheck // only read
	a := &answer{line: res.Proto + " " + res.Status, status: res.StatusCode}
	a.setHeaders(res.Header)
	if a.body, err = io.ReadAll(res.Body); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return a, nil
}

// request writes a call as its service's protocol wants it.
func (c *Client) request(ctx context.Context, endpoint string, s *service, o *model.Operation, with Members) (*http.Request, []byte, error) {
	r := rest{method: "POST", path: "/", header: http.Header{}}
	var err error
	switch s.Protocols[0] {
	case "restJson1":
		err = r.bind(s, o, with)
	case "awsJson1_1":
		r.header.Set("Content-Type", "application/x-amz-json-1.1")
		r.header.Set("X-Amz-Target", s.TargetPrefix+"."+o.Name)
		r.body, err = json.Marshal(with)
	case "awsQuery":
		r.header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.body = form(s, o, with)
	default:
		err = fmt.Errorf("protocol %s", s.Protocols[0])
	}
	if err != nil {
		return nil, nil, err
	}
	target := strings.ReplaceAll(endpoint, "{service}", s.SigningName) + r.path
	if len(r.query) > 0 {
		separator := "?"
		if strings.Contains(r.path, "?") {
			separator = "&"
		}
		target += separator + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, target, bytes.NewReader(r.body))
	if err != nil {
		return nil, nil, err
	}
	req.Header = r.header
	return req, r.body, nil
}

// A rest is a request of a REST protocol while it is bound together.
type rest struct {
	method, path string
	query        url.Values
	header       http.Header
	body         []byte
}

func (r *rest) bind(s *service, o *model.Operation, with Members) error {
	r.method, r.path, r.query = o.Method, o.Path, url.Values{}
	members := s.members(o)
	document := Members{}
	var err error
	for name, value := range with {
		m := members[name]
		wire := s.wireName(m)
		switch m.In {
		case "label":
			r.label(m.Name, fmt.Sprint(value))
		case "query":
			for _, v := range listOf(value) {
				r.query.Add(wire, fmt.Sprint(v))
			}
		case "queryMap":
			entries, ok := value.(map[string]any)
			if !ok {
				return fmt.Errorf("member %s isn't a map", name)
			}
			for k, v := range entries {
				r.query.Set(k, fmt.Sprint(v))
			}
		case "header":
			r.header.Set(wire, fmt.Sprint(value))
		case "payload":
			if r.body, err = payload(value); err != nil {
				return err
			}
		case "":
			document[wire] = value
		default:
			return fmt.Errorf("member %s travels in %s, which isn't known here", name, m.In)
		}
	}
	if len(document) > 0 {
		r.header.Set("Content-Type", "application/json")
		r.body, err = json.Marshal(document)
	}
	return err
}

// payload is a member that is the body: a text as it stands, a document as
// JSON.
func payload(value any) ([]byte, error) {
	if text, ok := value.(string); ok {
		return []byte(text), nil
	}
	return json.Marshal(value)
}

// label puts a value into the path. Everything but the unreserved characters
// is escaped; a greedy label keeps its slashes.
func (r *rest) label(name, value string) {
	escaped := strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
	r.path = strings.ReplaceAll(r.path, "{"+name+"}", escaped)
	r.path = strings.ReplaceAll(r.path, "{"+name+"+}", strings.ReplaceAll(escaped, "%2F", "/"))
}

func listOf(value any) []any {
	if list, ok := value.([]any); ok {
		return list
	}
	return []any{value}
}

// form writes a call of the query protocol.
func form(s *service, o *model.Operation, with Members) []byte {
	values := url.Values{"Action": {o.Name}, "Version": {s.APIVersion}}
	for wire, value := range with {
		flatten(values, wire, value)
	}
	return []byte(values.Encode())
}

// flatten writes a member of the query protocol: those of lists are counted.
func flatten(values url.Values, name string, value any) {
	switch v := value.(type) {
	case []any:
		for i, item := range v {
			flatten(values, fmt.Sprintf("%s.member.%d", name, i+1), item)
		}
	case map[string]any:
		for member, item := range v {
			flatten(values, name+"."+member, item)
		}
	default:
		values.Set(name, fmt.Sprint(value))
	}
}
