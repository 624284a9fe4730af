package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A demoClient makes management calls as any AWS client does. It is this small
// so that the program doesn't carry an SDK for its demo; the test suite uses
// the SDKs.
type demoClient struct {
	endpoint, region string
	http             *http.Client
}

func newDemoClient(addr, region string) *demoClient {
	return &demoClient{endpoint: "http://" + addr, region: region, http: &http.Client{Timeout: 30 * time.Second}}
}

// rest makes a restJson1 call and decodes the answer into out.
func (c *demoClient) rest(ctx context.Context, service, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	answer, err := c.send(ctx, service, method, path, http.Header{"Content-Type": {"application/json"}}, body)
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(answer, out)
}

// json makes an awsJson1.1 call and decodes the answer into out.
func (c *demoClient) json(ctx context.Context, service, target string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	answer, err := c.send(ctx, service, http.MethodPost, "/", http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {target}}, body)
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(answer, out)
}

// query makes an awsQuery call.
func (c *demoClient) query(ctx context.Context, service, version, action string, params map[string]string) error {
	form := url.Values{"Action": {action}, "Version": {version}}
	for k, v := range params {
		form.Set(k, v)
	}
	_, err := c.send(ctx, service, http.MethodPost, "/", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, []byte(form.Encode()))
	return err
}

func (c *demoClient) send(ctx context.Context, service, method, path string, header http.Header, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.endpoint+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC()
	req.Header = header
	req.Header.Set("X-Amz-Date", now.Format("20060102T150405Z"))
	// The demo's gateway is open: an access key it doesn't know is root, and its
	// signature can't be checked. The scope still says what service is meant.
	req.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=demo/%s/%s/%s/aws4_request, SignedHeaders=host;x-amz-date, Signature=%s",
		now.Format("20060102"), c.region, service, strings.Repeat("0", 64)))
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	if resp.StatusCode/100 != 2 {
		return nil, fmt.Errorf("%s %s answered %s: %s", method, path, resp.Status, answer)
	}
	return answer, nil
}

// A demoStep is one management call of a demo.
type demoStep struct {
	service, what string
	do            func() error
}

// runSteps makes the calls one after the other and tells of each on out.
func runSteps(out io.Writer, steps []demoStep) error {
	for _, step := range steps {
		began := time.Now()
		if err := step.do(); err != nil {
			return fmt.Errorf("%s %s: %w", step.service, step.what, err)
		}
		if _, err := fmt.Fprintf(out, "  %-13s %-52s %9s\n", step.service, step.what, millis(time.Since(began))); err != nil {
			return err
		}
	}
	return nil
}
