package balance

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A Protocol is what a health check speaks.
type Protocol int

// The protocols of health checks.
const (
	TCP Protocol = iota
	HTTP
	HTTPS
)

// A Check is how the targets of a group are checked.
type Check struct {
	Protocol Protocol
	// Path is what is asked for by HTTP, with its query.
	Path string
	// Matcher lists the statuses that pass: "200,202" or "200-299".
	Matcher           string
	Interval, Timeout time.Duration
	// HealthyThreshold is how many checks in a row make an unhealthy target healthy,
	// UnhealthyThreshold the opposite.
	HealthyThreshold, UnhealthyThreshold int
}

// A Failure is why a check failed: AWS's code and words.
type Failure struct{ Reason, Description string }

var (
	failedChecks = &Failure{"Target.FailedHealthChecks", "Health checks failed"}
	timedOut     = &Failure{"Target.Timeout", "Request timed out"}
)

// maxCheckBody is how much of an answer is read so that its end is clean.
const maxCheckBody = 64 << 10

// Probe checks an address once over the network; nil means that it passed. ctx
// bounds it.
func Probe(ctx context.Context, c *Check, addr string) *Failure {
	if c.Protocol == TCP {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		if err != nil {
			return failureOf(ctx, err)
		}
		_ = conn.Close()
		return nil
	}
	scheme := "http"
	if c.Protocol == HTTPS {
		scheme = "https"
	}
	// What the URL package would refuse isn't sent by AWS either.
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+addr+c.Path, http.NoBody)
	if err != nil {
		return failedChecks
	}
	request.Header.Set("User-Agent", "ELB-HealthChecker/2.0")
	request.Close = true
	client := &http.Client{
		Transport: &http.Transport{
			DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: 64 << 10,
			// Load balancers verify no certificate of a target.
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}, //nolint:gosec // see above
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		return failureOf(ctx, err)
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxCheckBody))
	if !MatchesStatus(c.Matcher, response.StatusCode) {
		return &Failure{"Target.ResponseCodeMismatch", fmt.Sprintf("Health checks failed with these codes: [%d]", response.StatusCode)}
	}
	return nil
}

func failureOf(ctx context.Context, err error) *Failure {
	var t net.Error
	if ctx.Err() != nil || errors.As(err, &t) && t.Timeout() {
		return timedOut
	}
	return failedChecks
}

// MatchesStatus tells whether a matcher names a status.
func MatchesStatus(matcher string, status int) bool {
	for item := range strings.SplitSeq(matcher, ",") {
		low, high, isRange := strings.Cut(item, "-")
		from, err := strconv.Atoi(strings.TrimSpace(low))
		if err != nil {
			continue
		}
		to := from
		if isRange {
			if to, err = strconv.Atoi(strings.TrimSpace(high)); err != nil {
				continue
			}
		}
		if from <= status && status <= to {
			return true
		}
	}
	return false
}
