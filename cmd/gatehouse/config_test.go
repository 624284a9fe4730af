package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// loadConfig resolves a configuration as serve does.
func loadConfig(t *testing.T, args []string, env map[string]string) (config, error) {
	t.Helper()
	var c config
	cmd := &cobra.Command{Use: "serve"}
	cmd.Flags().String("config", "", "")
	c.bind(cmd.Flags())
	if err := cmd.ParseFlags(args); err != nil {
		return c, err
	}
	if err := load(cmd, func(name string) (string, bool) { v, ok := env[name]; return v, ok }); err != nil {
		return c, err
	}
	return c, c.check()
}

func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gatehouse.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFlagsOutrankEnvironmentOutranksFile(t *testing.T) {
	file := write(t, "region: eu-west-1\naccount-id: \"111111111111\"\ndomain: example.test\ntraffic: [\"127.0.0.1:8080\", \"127.0.0.1:8081\"]\nstrict-permissions: true\n")
	c, err := loadConfig(t, []string{"--config", file, "--region", "ap-south-1"},
		map[string]string{"GATEHOUSE_REGION": "us-west-2", "GATEHOUSE_ACCOUNT_ID": "222222222222"})
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range []struct{ name, got, want string }{
		{"flag", c.Region, "ap-south-1"},
		{"environment", c.AccountID, "222222222222"},
		{"file", c.Domain, "example.test"},
		{"list", strings.Join(c.Traffic, " "), "127.0.0.1:8080 127.0.0.1:8081"},
		{"default", c.Listen, "127.0.0.1:4566"},
	} {
		if check.got != check.want {
			t.Errorf("%s: got %q, want %q", check.name, check.got, check.want)
		}
	}
	if !c.StrictPermissions {
		t.Error("strict-permissions of the file was ignored")
	}
}

// A misspelt variable is told of. A configuration file with one isn't taken at all.
func TestStrayEnvironment(t *testing.T) {
	var c config
	cmd := &cobra.Command{Use: "serve"}
	c.bind(cmd.Flags())
	got := strayEnvironment([]string{"GATEHOUSE_LISTN=x", "GATEHOUSE_LISTEN=x", "GATEHOUSE_CONFIG=x", "GATEHOUSE_S3_ENDPOINT=x", "HOME=/"}, cmd.Flags())
	if strings.Join(got, " ") != "GATEHOUSE_LISTN" {
		t.Errorf("got %q", got)
	}
}

func TestConfigFromEnvironmentFile(t *testing.T) {
	file := write(t, "region: eu-west-1\n")
	c, err := loadConfig(t, nil, map[string]string{"GATEHOUSE_CONFIG": file})
	if err != nil {
		t.Fatal(err)
	}
	if c.Region != "eu-west-1" {
		t.Errorf("got region %q, want eu-west-1", c.Region)
	}
}

// Functions, which run elsewhere, have to find what is named from here.
func TestRelativeDirectories(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.Mkdir("modules", 0o700); err != nil {
		t.Fatal(err)
	}
	c, err := loadConfig(t, []string{"--data", "./state", "--function-modules", "modules"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Data != filepath.Join(dir, "state") || c.FunctionModules != filepath.Join(dir, "modules") {
		t.Errorf("got %q and %q below %q", c.Data, c.FunctionModules, dir)
	}
}

func TestConfigRefusals(t *testing.T) {
	for _, test := range []struct {
		name string
		args []string
		env  map[string]string
		file string
		want string
	}{
		{name: "unknown key", file: "regoin: us-east-1\n", want: `unknown setting "regoin"`},
		{name: "not yaml", file: "region: [", want: "gatehouse.yaml"},
		{name: "bad value in the file", file: "strict-permissions: maybe\n", want: "strict-permissions"},
		{name: "bad value in the environment", env: map[string]string{"GATEHOUSE_STRICT_PERMISSIONS": "maybe"}, want: "GATEHOUSE_STRICT_PERMISSIONS"},
		{name: "account id", args: []string{"--account-id", "123"}, want: "twelve digits"},
		{name: "region", args: []string{"--region", "us east"}, want: "--region"},
		{name: "region of several ARNs", args: []string{"--region", "us-east-1:111111111111:a"}, want: "--region"},
		{name: "issuer that is a URL", args: []string{"--jwt-http-issuer", "http://issuer.test/"}, want: "HOST or HOST:PORT"},
		{name: "management host that is a URL", args: []string{"--management-host", "https://gateway.test"}, want: "--management-host"},
		{name: "management host with a port", args: []string{"--management-host", "gateway.test:4566"}, want: "without a scheme and a port"},
		{name: "address of nobody", args: []string{"--acme-directory", "https://ca.test/dir", "--acme-email", "ops"}, want: "--acme-email"},
		{name: "auth", args: []string{"--auth", "none"}, want: "open or strict"},
		{name: "isolation", args: []string{"--function-isolation", "docker"}, want: "auto or none"},
		{name: "half a root key", args: []string{"--root-access-key-id", "AKIAROOT"}, want: "go together"},
		{name: "not loopback", args: []string{"--listen", "0.0.0.0:4566"}, want: "--root-access-key-id"},
		{name: "open to strangers", args: []string{"--listen", "0.0.0.0:4566", "--auth", "open", "--root-access-key-id", "AKIAROOT", "--root-secret-access-key", "secret"}, want: "loopback only"},
		{name: "log level", args: []string{"--log-level", "loud"}, want: "debug, info"},
		{name: "access log format", args: []string{"--access-log-format", "apache"}, want: "clf, json, xml, csv"},
		{name: "access log without a request id", args: []string{"--access-log-format", "$context.status"}, want: "$context.requestId"},
		{name: "account rate", args: []string{"--account-rate-limit", "-1"}, want: "can't be negative"},
		{name: "account rate that is no number", args: []string{"--account-rate-limit", "NaN"}, want: "can't be negative"},
		{name: "account burst", args: []string{"--account-rate-limit", "1", "--account-burst-limit", "0"}, want: "less than 1"},
		{name: "no connections", args: []string{"--max-connections", "0"}, want: "at least 1"},
		{name: "short timeout", args: []string{"--rest-max-timeout", "10s"}, want: "from 29s to 1h"},
		{name: "no lifetime", args: []string{"--websocket-lifetime", "0s"}, want: "must be positive"},
		{name: "burst without a rate", args: []string{"--account-burst-limit", "10"}, want: "--account-rate-limit"},
		{name: "format without an access log", args: []string{"--access-log-format", "json"}, want: "--access-log"},
		{name: "no port", args: []string{"--listen", "127.0.0.1"}, want: "HOST:PORT"},
		{name: "no host", args: []string{"--traffic", "80"}, want: "HOST:PORT"},
		{name: "HTTP/3 beside nothing", args: []string{"--http3"}, want: "--http3 needs --traffic-tls"},
		{name: "no VPC endpoint", args: []string{"--traffic-private", ":443"}, want: "vpce-ID=HOST:PORT"},
		{name: "no address of a VPC endpoint", args: []string{"--traffic-private", "vpce-1=443"}, want: "vpce-ID=HOST:PORT"},
		{name: "no id of a VPC", args: []string{"--traffic-private", "vpce-1@net=:443"}, want: "vpce-ID@vpc-ID=HOST:PORT"},
		{name: "HTTP/3 behind the PROXY protocol", args: []string{"--http3", "--traffic-tls", ":443", "--trusted-proxies", "10.0.0.0/8", "--proxy-protocol"}, want: "exclude each other"},
		{name: "a port of no HTTP/3", args: []string{"--http3-port", "443"}, want: "--http3, which"},
		{name: "no port of HTTP/3", args: []string{"--http3", "--traffic-tls", ":443", "--http3-port", "65536"}, want: "no port"},
		{name: "no domain", args: []string{"--domain", ""}, want: "must be a host name"},
		{name: "domain that is a URL", args: []string{"--domain", "https://api.example"}, want: "must be a host name"},
		{name: "ACME without an authority", args: []string{"--acme-profile", "shortlived"}, want: "--acme-profile is that of --acme-directory"},
		{name: "ACME over plain HTTP", args: []string{"--acme-directory", "http://ca.test/dir"}, want: "https URL"},
		{name: "half an account", args: []string{"--acme-directory", "https://ca.test/dir", "--acme-eab-key-id", "kid"}, want: "go together"},
		{name: "account's key", args: []string{"--acme-directory", "https://ca.test/dir", "--acme-eab-key-id", "kid"}, env: map[string]string{"GATEHOUSE_ACME_EAB_HMAC_KEY": "s*cret"}, want: "isn't base64"},
		{name: "resolver without DNS", args: []string{"--acme-directory", "https://ca.test/dir", "--acme-resolver", "192.0.2.1:53"}, want: "--dns"},
		{name: "resolver without a port", args: []string{"--acme-directory", "https://ca.test/dir", "--dns", "127.0.0.1:53", "--acme-resolver", "192.0.2.1"}, want: "HOST:PORT"},
		{name: "modules", args: []string{"--function-modules", "no/such/dir"}, want: "no such directory"},
	} {
		t.Run(test.name, func(t *testing.T) {
			args := test.args
			if test.file != "" {
				args = append(args, "--config", write(t, test.file))
			}
			_, err := loadConfig(t, args, test.env)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one that says %q", err, test.want)
			}
		})
	}
}

func TestNotLoopbackIsStrict(t *testing.T) {
	c, err := loadConfig(t, []string{"--listen", "0.0.0.0:4566", "--root-access-key-id", "AKIAROOT", "--root-secret-access-key", "secret"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Auth != "strict" {
		t.Errorf("got auth %q, want strict", c.Auth)
	}
	if hosts := c.managementHosts(); len(hosts) != 0 {
		t.Errorf("a wildcard address became names of management: %v", hosts)
	}
	c.Listen = "192.0.2.7:4566"
	if hosts := c.managementHosts(); len(hosts) != 1 || hosts[0] != "192.0.2.7" {
		t.Errorf("management's names are %v, want the address it listens on", hosts)
	}
}

func TestNotIsolated(t *testing.T) {
	for _, test := range []struct {
		name   string
		config config
		want   string
	}{
		{name: "loopback", config: config{Listen: "127.0.0.1:4566", FunctionIsolation: "auto"}},
		{name: "open traffic", config: config{Listen: "127.0.0.1:4566", Traffic: []string{"0.0.0.0:80"}, FunctionIsolation: "auto"}, want: "0.0.0.0:80 isn't loopback"},
		{name: "open TLS traffic", config: config{Listen: "127.0.0.1:4566", TrafficTLS: []string{":443"}, FunctionIsolation: "auto"}, want: ":443 isn't loopback"},
		{name: "asked for", config: config{Listen: "0.0.0.0:4566", FunctionIsolation: "none"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := test.config.checkNotIsolated("no namespaces")
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestTrustedProxies(t *testing.T) {
	c := config{TrustedProxies: []string{"10.1.2.3/8", "192.0.2.1", "2001:db8::/32"}}
	got, err := c.trustedProxies()
	if want := "[10.0.0.0/8 192.0.2.1/32 2001:db8::/32]"; err != nil || fmt.Sprint(got) != want {
		t.Errorf("%v, %v, want %s", got, err, want)
	}
	for _, bad := range []string{"", "proxy.test", "10.0.0.0/33", "10.0.0.1:80"} {
		c := config{TrustedProxies: []string{bad}}
		if _, err := c.trustedProxies(); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestLimits(t *testing.T) {
	for _, tt := range []struct {
		args                 []string
		idle, lifetime, rest time.Duration
		body                 int64
	}{
		{nil, 10 * time.Minute, 2 * time.Hour, 29 * time.Second, 0},
		{[]string{"--limits", "lifted"}, 24 * time.Hour, 30 * 24 * time.Hour, 15 * time.Minute, 1 << 40},
		{[]string{"--limits", "lifted", "--websocket-lifetime", "3h", "--rest-max-timeout", "1m"}, 24 * time.Hour, 3 * time.Hour, time.Minute, 1 << 40},
	} {
		c, err := loadConfig(t, tt.args, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.WebSocketIdle != tt.idle || c.WebSocketLifetime != tt.lifetime || c.MaxRestTimeout != tt.rest || c.limits.bodyBytes != tt.body {
			t.Errorf("%v: got %s, %s, %s and %d", tt.args, c.WebSocketIdle, c.WebSocketLifetime, c.MaxRestTimeout, c.limits.bodyBytes)
		}
	}
	if _, err := loadConfig(t, []string{"--limits", "none"}, nil); err == nil || !strings.Contains(err.Error(), "must be aws or lifted") {
		t.Errorf("got %v", err)
	}
}
