package conformance

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"gatehouse/test/harness"
)

// cases is how many run at the same time unless -parallel says so: most of them
// wait, for a log or for a function.
const cases = 8

func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		if err := flag.Set("test.parallel", strconv.Itoa(cases)); err != nil {
			panic(err)
		}
	}
	harness.Main(m)
}

// TestHTTP runs the corpus of HTTP APIs.
func TestHTTP(t *testing.T) { runCorpus(t, "http") }

// TestREST runs the corpus of REST APIs.
func TestREST(t *testing.T) { runCorpus(t, "rest") }

// TestWebSocket runs the corpus of WebSocket APIs.
func TestWebSocket(t *testing.T) { runCorpus(t, "websocket") }

// TestAuth runs the corpus of who may call, of all three kinds of APIs.
func TestAuth(t *testing.T) { runCorpus(t, "auth") }

// TestDomains runs the corpus of custom domain names, of all three kinds of APIs.
func TestDomains(t *testing.T) { runCorpus(t, "domains") }

func runCorpus(t *testing.T, dir string) {
	files, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	world, own := newWorld(t)
	for _, f := range files {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			shared := newScene(world, f.Name, f.Setup, nil)
			var passed atomic.Int32
			for _, c := range f.Cases {
				t.Run(c.Name, func(t *testing.T) {
					t.Parallel()
					err := c.Run(t.Context(), shared)
					if err == nil {
						passed.Add(1)
					}
					judge(t, f, c, err, own)
				})
			}
			t.Cleanup(func() {
				if own && f.Fails != "" && int(passed.Load()) == len(f.Cases) {
					t.Errorf("%s: all cases pass now; take away the file's mark, fails: %s", f.Path, f.Fails)
				}
			})
		})
	}
}

// judge reports a case that came to err.
func judge(t *testing.T, f *File, c *Case, err error, own bool) {
	t.Helper()
	text, bad := verdict(f, c, err, own)
	switch {
	case bad:
		t.Error(text)
	case text != "":
		t.Log(text)
	}
}

// verdict says what there is to say about a case that came to err, and whether
// the test fails. Marks are about this gateway; another endpoint is measured
// by all cases alike.
func verdict(f *File, c *Case, err error, own bool) (text string, bad bool) {
	at := fmt.Sprintf("%s:%d: %q", f.Path, c.line, c.Name)
	mark := or(c.Fails, f.Fails)
	marked := mark != "" && own
	switch {
	case err == nil && c.Fails == "":
		return "", false
	case err == nil && marked:
		return fmt.Sprintf("%s passes now; take away its mark, fails: %s", at, c.Fails), true
	case err == nil:
		return "", false
	case marked:
		return fmt.Sprintf("%s fails as marked, %s\n%s", at, mark, indented(err.Error())), false
	}
	return fmt.Sprintf("%s (%s: %s)\n%s", at, c.Evidence.Source, c.Evidence.Where, indented(err.Error())), true
}

func indented(text string) string {
	return "  " + strings.ReplaceAll(text, "\n", "\n  ")
}

// newWorld returns the endpoint that the environment names, or a gateway of
// this test's own.
func newWorld(t *testing.T) (w *World, own bool) {
	t.Helper()
	bucket, err := newBucket(or(os.Getenv("GATEHOUSE_CONFORMANCE_S3_LISTEN"), "127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	services, err := newAWSServices(or(os.Getenv("GATEHOUSE_CONFORMANCE_SERVICES_LISTEN"), "127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	endpoint := os.Getenv("GATEHOUSE_CONFORMANCE_ENDPOINT")
	private := VPCEndpoint{ID: or(os.Getenv("GATEHOUSE_CONFORMANCE_VPCE"), "vpce-0123456789abcdef0"), VPC: or(os.Getenv("GATEHOUSE_CONFORMANCE_VPC"), "vpc-0123456789abcdef0"), Address: os.Getenv("GATEHOUSE_CONFORMANCE_VPCE_ADDRESS")}
	if own = endpoint == ""; own {
		gateway := harness.Start(t, "", "--traffic-private", private.ID+"@"+private.VPC+"=127.0.0.1:0", "--strict-permissions", "--s3-endpoint", bucket.url,
			"--aws-endpoint", services.url, "--aws-endpoint", "s3="+services.url,
			"--aws-access-key-id", serviceKeys.AccessKeyID, "--aws-secret-access-key", serviceKeys.Secret)
		at := regexp.MustCompile(`private traffic" address=(\S+)`).FindStringSubmatch(gateway.Logs())
		if at == nil {
			t.Fatal(gateway.Logs())
		}
		endpoint, private.Address = gateway.URL, at[1]
	}
	client, err := NewClient(endpoint, or(os.Getenv("AWS_REGION"), "us-east-1"), aws.Credentials{
		AccessKeyID: or(os.Getenv("AWS_ACCESS_KEY_ID"), "test"), SecretAccessKey: or(os.Getenv("AWS_SECRET_ACCESS_KEY"), "test"),
		SessionToken: os.Getenv("AWS_SESSION_TOKEN"),
	}, "../../schema")
	if err != nil {
		t.Fatal(err)
	}
	client.Address = os.Getenv("GATEHOUSE_CONFORMANCE_ADDRESS")
	backend, err := NewBackend(or(os.Getenv("GATEHOUSE_CONFORMANCE_BACKEND_LISTEN"), "127.0.0.1:0"), os.Getenv("GATEHOUSE_CONFORMANCE_BACKEND"))
	if err != nil {
		t.Fatal(err)
	}
	issuers, err := newIssuers(or(os.Getenv("GATEHOUSE_CONFORMANCE_ISSUER_LISTEN"), "127.0.0.1:0"), os.Getenv("GATEHOUSE_CONFORMANCE_ISSUER"))
	if err != nil {
		t.Fatal(err)
	}
	// Real AWS takes a while; here only a busy machine does.
	invoke, settle := os.Getenv("GATEHOUSE_CONFORMANCE_INVOKE"), 60*time.Second
	if own {
		settle = 30 * time.Second
	}
	hosted := os.Getenv("GATEHOUSE_CONFORMANCE_HOSTED")
	if hosted == "" && own {
		hosted = "http://{domain}.auth." + client.region + ".localhost" + endpoint[strings.LastIndexByte(endpoint, ':'):]
	}
	if invoke == "" && own {
		invoke = "http://{api}.execute-api.localhost" + endpoint[strings.LastIndexByte(endpoint, ':'):]
	}
	w = NewWorld(Options{
		Client: client, Backend: backend, Address: client.Address, Role: os.Getenv("GATEHOUSE_CONFORMANCE_ROLE"),
		Invoke: or(invoke, "https://{api}.execute-api."+client.region+".amazonaws.com"), Settle: settle,
		Issuers: issuers, Bucket: bucket, Private: private, Hosted: or(hosted, "https://{domain}.auth."+client.region+".amazoncognito.com"),
		Functions: "functions", Run: strings.ToLower(rand.Text()[:8]),
	})
	t.Cleanup(func() {
		if err := w.Close(context.Background()); err != nil {
			t.Errorf("cannot clean up: %v", err)
		}
		backend.Close()
		issuers.close()
		bucket.close()
		services.close()
		client.http.CloseIdleConnections()
		client.apis.CloseIdleConnections()
	})
	return w, own
}
