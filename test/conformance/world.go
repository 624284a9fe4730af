package conformance

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// pollPeriod is how often is looked whether what was made is there.
const pollPeriod = 50 * time.Millisecond

// Options say what is examined.
type Options struct {
	Client  *Client
	Backend *Backend
	// Address, as in "127.0.0.1:4566", is where APIs are reached whatever their
	// endpoint says.
	Address string
	// Invoke is the URL of REST APIs, with {api} where the id is.
	Invoke string
	// Role is the ARN of a role that Lambda can assume; one is made when it is
	// empty.
	Role string
	// Functions is the directory of the functions' files.
	Functions string
	// Settle is how long the endpoint may take until what was made is there.
	Settle time.Duration
	// Issuers is the server of issuers.
	Issuers *issuers
	// Bucket has the truststores.
	Bucket *bucket
	// Private is where requests come in over a VPC endpoint of that id, in that VPC;
	// without an address those go where all others do.
	Private VPCEndpoint
	// Hosted is the URL of a user pool's domain, with {domain} where the domain's
	// name is.
	Hosted string
	// Run makes the names of this run's resources its own.
	Run string
}

// A VPCEndpoint leads to private APIs.
type VPCEndpoint struct{ ID, VPC, Address string }

// A World is the endpoint that is examined and what all files share there.
type World struct {
	Options
	role func() (string, error)

	mu        sync.Mutex
	functions map[string]func() (string, error) // ARNs by specification
	undo      []undo
	made      atomic.Int64
}

// An undo is a call that removes something.
type undo struct {
	call string
	with Members
}

// NewWorld returns a world in which nothing has been made yet.
func NewWorld(o Options) *World {
	w := &World{Options: o, functions: map[string]func() (string, error){}}
	w.role = sync.OnceValues(w.makeRole)
	return w
}

// Close removes what was made, the latest first.
func (w *World) Close(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var problems []error
	for i := len(w.undo) - 1; i >= 0; i-- {
		u := w.undo[i]
		a, err := w.Client.Call(ctx, u.call, u.with)
		// A case may have removed it itself, or it never came to be.
		gone := err == nil && (a.status == http.StatusNotFound || errorCode(a) == "ResourceNotFoundException" || strings.Contains(string(a.body), "<Code>NoSuchEntity</Code>"))
		if err == nil && a.status >= 400 && !gone {
			err = fmt.Errorf("%s: %s", u.call, a)
		}
		problems = append(problems, err)
	}
	w.undo = nil
	return errors.Join(problems...)
}

func (w *World) later(call string, with Members) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.undo = append(w.undo, undo{call, with})
}

// unique is a name that nothing else has.
func (w *World) unique() string {
	return fmt.Sprintf("conformance-%s-%d", w.Run, w.made.Add(1))
}

// make calls an operation that has to succeed and decodes its answer into out.
// Real AWS lets few management calls through per second.
func (w *World) make(ctx context.Context, name string, with Members, out any) error {
	var a *answer
	err := w.eventually(ctx, func() (bool, error) {
		var err error
		a, err = w.Client.Call(ctx, name, with)
		return err == nil && a.status != http.StatusTooManyRequests, err
	})
	if err != nil {
		return err
	}
	if a.status >= 300 {
		return fmt.Errorf("%s of the setup: %s", name, a)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(a.body, out); err != nil {
		return fmt.Errorf("%s of the setup: %w", name, err)
	}
	return nil
}

// eventually asks until the answer is yes, or the endpoint should have settled.
func (w *World) eventually(ctx context.Context, ask func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, w.Settle)
	defer cancel()
	tick := time.NewTicker(pollPeriod)
	defer tick.Stop()
	for {
		yes, err := ask()
		if yes || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

var arnElement = regexp.MustCompile(`<Arn>([^<]+)</Arn>`)

// makeRole makes the role of all functions, and of all integrations with services.
func (w *World) makeRole() (string, error) {
	if w.Role != "" {
		return w.Role, nil
	}
	ctx := context.Background()
	name := w.unique()
	a, err := w.Client.Call(ctx, "iam:CreateRole", Members{
		"RoleName": name,
		"AssumeRolePolicyDocument": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",` +
			`"Principal":{"Service":["lambda.amazonaws.com","apigateway.amazonaws.com"]}}]}`,
	})
	if err != nil {
		return "", err
	}
	found := arnElement.FindSubmatch(a.body)
	if found == nil {
		return "", fmt.Errorf("iam:CreateRole of the setup: %s", a)
	}
	w.later("iam:DeleteRole", Members{"RoleName": name})
	return string(found[1]), nil
}

// account is the id of the account that is examined.
func (w *World) account() (string, error) {
	arn, err := w.role()
	if err != nil {
		return "", err
	}
	parts := strings.Split(arn, ":")
	if len(parts) < 6 {
		return "", fmt.Errorf("role %s isn't an ARN", arn)
	}
	return parts[4], nil
}

// function returns the ARN of a function, which is made once for all files
// that specify the same.
func (w *World) function(f Function) (string, error) {
	key, err := json.Marshal(f)
	if err != nil {
		return "", err
	}
	w.mu.Lock()
	get := w.functions[string(key)]
	if get == nil {
		get = sync.OnceValues(func() (string, error) { return w.makeFunction(f) })
		w.functions[string(key)] = get
	}
	w.mu.Unlock()
	return get()
}

func (w *World) makeFunction(f Function) (string, error) {
	ctx := context.Background()
	role, err := w.role()
	if err != nil {
		return "", err
	}
	archive, err := zipOf(filepath.Join(w.Functions, f.File))
	if err != nil {
		return "", err
	}
	name := w.unique()
	with := Members{
		"FunctionName": name, "Role": role, "Runtime": "nodejs22.x", "Handler": "index.handler",
		"Code": Members{"ZipFile": base64.StdEncoding.EncodeToString(archive)},
	}
	maps.Copy(with, f.Members)
	var function struct{ FunctionArn, State string }
	if err := w.make(ctx, "lambda:CreateFunction", with, &function); err != nil {
		return "", err
	}
	w.later("logs:DeleteLogGroup", Members{"logGroupName": "/aws/lambda/" + name})
	w.later("lambda:DeleteFunction", Members{"FunctionName": name})
	if f.Permitted == nil || *f.Permitted {
		if err := w.make(ctx, "lambda:AddPermission", Members{
			"FunctionName": name, "StatementId": "conformance", "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com",
		}, nil); err != nil {
			return "", err
		}
	}
	return function.FunctionArn, w.eventually(ctx, func() (bool, error) {
		err := w.make(ctx, "lambda:GetFunctionConfiguration", Members{"FunctionName": name}, &function)
		return function.State == "Active", err
	})
}

// functionAttribute is what a placeholder wants of a function: the ARN, its
// name, or the URI by which a REST API invokes it, at once or as a stream.
func (w *World) functionAttribute(arn, attribute string) string {
	const uri = "arn:aws:apigateway:%s:lambda:path/%s/functions/%s/%s"
	switch attribute {
	case "name":
		return arn[strings.LastIndexByte(arn, ':')+1:]
	case "invoke":
		return fmt.Sprintf(uri, w.Client.region, "2015-03-31", arn, "invocations")
	case "stream":
		return fmt.Sprintf(uri, w.Client.region, "2021-11-15", arn, "response-streaming-invocations")
	}
	return arn
}

// invokeURL is where a REST API is, without the stage.
func (w *World) invokeURL(id string) string { return strings.ReplaceAll(w.Invoke, "{api}", id) }

// zipOf packs a file as index with its extension.
func zipOf(path string) ([]byte, error) {
	code, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	file, err := z.Create("index" + filepath.Ext(path))
	if err != nil {
		return nil, err
	}
	if _, err := file.Write(code); err != nil {
		return nil, err
	}
	err = z.Close()
	return b.Bytes(), err
}

// lookup finds what every case can name.
func (w *World) lookup(name string) (string, bool, error) {
	switch name {
	case "backend":
		return w.Backend.URL, true, nil
	case "backend.host":
		return w.Backend.Host(), true, nil
	case "bucket":
		return bucketName, true, nil
	case "vpceId":
		return w.Private.ID, true, nil
	case "vpcId":
		return w.Private.VPC, true, nil
	case "region":
		return w.Client.region, true, nil
	case "account":
		account, err := w.account()
		return account, true, err
	case "masked":
		account, err := w.account()
		return "********" + account[max(0, len(account)-4):], true, err
	case "today":
		return time.Now().UTC().Format(time.DateOnly), true, nil
	case "role":
		arn, err := w.role()
		return arn, true, err
	}
	return "", false, nil
}
