package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"gatehouse/internal/awswire"
	"gatehouse/internal/compile"
	"gatehouse/internal/serve"
	"gatehouse/internal/socket"
	"gatehouse/internal/stagecache"
)

// config is what an operator can set. Every field is a flag, an environment
// variable and a key of the configuration file, all of the same name; flags
// outrank the environment, which outranks the file.
type config struct {
	Listen              string
	Traffic             []string
	TrafficTLS          []string
	TrafficPrivate      []string
	HTTP3               bool
	HTTP3Port           int
	Data                string
	AccountID           string
	Region              string
	Auth                string
	RootAccessKeyID     string
	RootSecretAccessKey string
	Domain              string
	DNS                 string
	DNSAddress          []string
	ACMDNSValidation    bool
	ManagementHosts     []string
	FunctionIsolation   string
	FunctionModules     string
	UpstreamCA          []string
	JWTHTTPIssuers      []string
	TrustedProxies      []string
	ProxyProtocol       bool
	S3Endpoint          string
	S3AccessKeyID       string
	S3SecretAccessKey   string
	AWSEndpoint         []string
	AWSAccessKeyID      string
	AWSSecretAccessKey  string
	AWSSessionToken     string
	TruststoreFiles     bool
	ACMEDirectory       string
	ACMEEmail           string
	ACMEEABKeyID        string
	ACMEEABHMACKey      string
	ACMEProfile         string
	ACMEOrdersPerHour   int
	ACMEResolver        string
	StrictPermissions   bool
	AccessLog           string
	AccessLogFormat     string
	AccountRateLimit    float64
	AccountBurstLimit   int32
	MaxConnections      int
	MaxPerClient        int
	MaxHeldMiB          int64
	Limits              string
	MaxCacheMiB         int64
	WebSocketIdle       time.Duration
	WebSocketLifetime   time.Duration
	MaxRestTimeout      time.Duration
	Explain             bool
	LogLevel            string

	limits    limits            // of Limits
	endpoints []privateListener // of TrafficPrivate
}

const defaultAccessLogFormat = "clf"

// bind declares the flags of c on fs.
func (c *config) bind(fs *pflag.FlagSet) {
	fs.StringVar(&c.Listen, "listen", "127.0.0.1:4566", "address of management and traffic, TLS and plain on one `HOST:PORT`")
	fs.StringSliceVar(&c.Traffic, "traffic", nil, "further `HOST:PORT` that serves traffic only, plain HTTP (repeatable)")
	fs.StringSliceVar(&c.TrafficTLS, "traffic-tls", nil, "further `HOST:PORT` that serves traffic only, over TLS (repeatable)")
	fs.StringSliceVar(&c.TrafficPrivate, "traffic-private", nil, "further `VPCE[@VPC]=HOST:PORT` that stands for a VPC endpoint, in a VPC, and serves private APIs and private domain names only, plain HTTP and TLS: vpce-1a2b@vpc-3c4d=10.0.0.5:443 (repeatable)")
	fs.BoolVar(&c.HTTP3, "http3", false, "serve HTTP/3, too, over UDP at the addresses of --traffic-tls, and tell clients of it")
	fs.IntVar(&c.HTTP3Port, "http3-port", 0, "UDP `PORT` that clients are told of, where another one than the listener's leads to it")
	fs.StringVar(&c.Data, "data", defaultDataDir(), "`directory` of everything the gateway keeps")
	fs.StringVar(&c.AccountID, "account-id", "000000000000", "`account` of calls whose credentials name none: twelve digits")
	fs.StringVar(&c.Region, "region", "us-east-1", "`region` of calls that name none")
	fs.StringVar(&c.Auth, "auth", "", "`MODE` open: an unknown access key counts as root, on loopback only; strict: it is refused (default open on loopback, strict elsewhere)")
	fs.StringVar(&c.RootAccessKeyID, "root-access-key-id", "", "access key `ID` of the account's root; required when management isn't on loopback")
	fs.StringVar(&c.RootSecretAccessKey, "root-secret-access-key", "", "its `SECRET` (better given as GATEHOUSE_ROOT_SECRET_ACCESS_KEY)")
	fs.StringVar(&c.Domain, "domain", "localhost", "`NAME` under which API host names are handed out: {api-id}.execute-api.NAME")
	fs.StringVar(&c.DNS, "dns", "", "`HOST:PORT` that answers DNS queries, over UDP and TCP, for the public hosted zones made with Route 53's API")
	fs.StringSliceVar(&c.DNSAddress, "dns-address", nil, "`IP` address that it answers for the names of the gateway itself (repeatable; default the one that traffic comes to)")
	fs.BoolVar(&c.ACMDNSValidation, "acm-dns-validation", false, "issue requested certificates only once a hosted zone here has the record that proves the domain, instead of at once")
	fs.StringSliceVar(&c.ManagementHosts, "management-host", nil, "further `HOST` name under which management may be called, besides loopback and the address it listens on (repeatable)")
	fs.StringVar(&c.FunctionIsolation, "function-isolation", "auto", "`MODE` auto: functions run in namespaces of their own; none: as plain processes")
	fs.StringVar(&c.FunctionModules, "function-modules", "", "host `directory` of modules offered to all functions (AWS's runtimes bring @aws-sdk/* and boto3)")
	fs.StringSliceVar(&c.UpstreamCA, "upstream-ca", nil, "PEM `FILE` of authorities that https backends and issuers of tokens may be signed by, besides the system's (repeatable)")
	fs.StringSliceVar(&c.JWTHTTPIssuers, "jwt-http-issuer", nil, "`HOST` or HOST:PORT whose issuers of tokens may be reached by plain http, as those on loopback may (repeatable)")
	fs.StringSliceVar(&c.TrustedProxies, "trusted-proxies", nil, "`CIDR` of load balancers whose X-Forwarded headers say, on listeners for traffic, whom requests are from (repeatable)")
	fs.BoolVar(&c.ProxyProtocol, "proxy-protocol", false, "they begin each connection to a listener for traffic with a header of the PROXY protocol, version 1 or 2")
	fs.StringSliceVar(&c.AWSEndpoint, "aws-endpoint", nil, "`[SERVICE=]URL` where integrations find an AWS service, or all others: dynamodb=http://localhost:8000; aws in place of the URL calls AWS itself (repeatable; AWS_ENDPOINT_URL_DYNAMODB says the same)")
	fs.StringVar(&c.AWSAccessKeyID, "aws-access-key-id", "", "access key `ID` that calls of AWS services are signed with (default that of the environment's AWS_ACCESS_KEY_ID or of AWS's shared credentials file)")
	fs.StringVar(&c.AWSSecretAccessKey, "aws-secret-access-key", "", "its `SECRET` (better given as GATEHOUSE_AWS_SECRET_ACCESS_KEY)")
	fs.StringVar(&c.AWSSessionToken, "aws-session-token", "", "its session `TOKEN`, if it has one (better given as GATEHOUSE_AWS_SESSION_TOKEN)")
	fs.StringVar(&c.S3Endpoint, "s3-endpoint", "", "`URL` of an S3-compatible store that truststores (s3://bucket/key) and the code of functions are read from, and that integrations with S3 call")
	fs.StringVar(&c.S3AccessKeyID, "s3-access-key-id", "", "access key `ID` for it; none leaves its requests unsigned")
	fs.StringVar(&c.S3SecretAccessKey, "s3-secret-access-key", "", "its `SECRET` (better given as GATEHOUSE_S3_SECRET_ACCESS_KEY)")
	fs.BoolVar(&c.TruststoreFiles, "truststore-files", false, "allow truststores in files of this machine (file:///path), as on loopback they are")
	fs.StringVar(&c.ACMEDirectory, "acme-directory", "", "`URL` of the directory of a public authority that signs certificates requested of ACM, by ACME; giving it agrees to the authority's terms (default the gateway's own authority: see gatehouse trust)")
	fs.StringVar(&c.ACMEEmail, "acme-email", "", "`ADDRESS` that the authority may write to")
	fs.StringVar(&c.ACMEEABKeyID, "acme-eab-key-id", "", "key `ID` of the account that you have at the authority, where it wants one (external account binding)")
	fs.StringVar(&c.ACMEEABHMACKey, "acme-eab-hmac-key", "", "its `SECRET` in base64 (better given as GATEHOUSE_ACME_EAB_HMAC_KEY)")
	fs.StringVar(&c.ACMEProfile, "acme-profile", "", "`NAME` of the profile of certificates to order, of those that the authority's directory lists (default the authority's)")
	fs.IntVar(&c.ACMEOrdersPerHour, "acme-orders-per-hour", 100, "how many `orders` an hour the authority allows, which accounts share evenly; an account that is alone isn't bound")
	fs.StringVar(&c.ACMEResolver, "acme-resolver", "", "`HOST:PORT` of the resolver that is asked whether a CNAME of _acme-challenge leads to a zone that --dns answers (default those of the machine)")
	fs.BoolVar(&c.StrictPermissions, "strict-permissions", false, "refuse what AWS refuses for a missing Lambda permission or a role it may not assume, instead of a warning")
	fs.StringVar(&c.AccessLog, "access-log", "", "also write a line for every request to `FILE` (- for standard output); it may be rotated by copying and truncating")
	fs.StringVar(&c.AccessLogFormat, "access-log-format", defaultAccessLogFormat, "its `FORMAT`: clf, json, xml, csv, or one of your own in $context variables")
	fs.Float64Var(&c.AccountRateLimit, "account-rate-limit", 0, "`requests` a second that an account may have in a region, over all its APIs; 0 is no limit, AWS's quota is 10000")
	fs.Int32Var(&c.AccountBurstLimit, "account-burst-limit", compile.AccountBurst, "how many of these `requests` may come at once, where a rate is set")
	fs.IntVar(&c.MaxConnections, "max-connections", serve.MaxConnections, "how many `connections` may be open at a time, WebSockets among them")
	fs.IntVar(&c.MaxPerClient, "max-connections-per-client", serve.MaxPerClient, "how many `connections` one address other than loopback, or one /64 of IPv6, may have open; raise it behind a load balancer")
	fs.Int64Var(&c.MaxHeldMiB, "max-held-bodies", serve.MaxHeldBytes>>20, "`MiB` that bodies held whole (for functions, templates, signatures) may take over all requests, those of one client half of it; one more is refused with 503. Working on them takes up to three times as much")
	fs.StringVar(&c.Limits, "limits", "aws", "`SET` aws: the limits that AWS raises for nobody hold; lifted: bodies of any length, heads of 64 KiB, WebSocket messages of 1 MiB and connections of 30 days (24h of them idle), integrations that take 15m")
	fs.Int64Var(&c.MaxCacheMiB, "max-cache-memory", stagecache.MaxBytes>>20, "`MiB` that responses cached by stages of REST APIs may take, whatever sizes their caches have; 0 caches nothing")
	fs.DurationVar(&c.WebSocketIdle, "websocket-idle-timeout", socket.IdleTimeout, "how long a WebSocket connection may be without a message; AWS's limit is the default")
	fs.DurationVar(&c.WebSocketLifetime, "websocket-lifetime", socket.Lifetime, "how long a WebSocket connection may last; AWS's limit is the default")
	fs.DurationVar(&c.MaxRestTimeout, "rest-max-timeout", 29*time.Second, "longest timeout that integrations of REST APIs may be given; AWS raises its 29s on request, too")
	fs.BoolVar(&c.Explain, "explain", true, "where management is on loopback, tell clients on loopback the reason of a gateway-made error in the response header x-gatehouse-reason")
	fs.StringVar(&c.LogLevel, "log-level", "info", "`LEVEL`: debug, info, warn or error")
}

// load fills the flags that weren't given from the environment and then from
// the file named by --config.
func load(cmd *cobra.Command, getenv func(string) (string, bool)) error {
	fs := cmd.Flags()
	path, _ := fs.GetString("config")
	if v, ok := getenv(envName("config")); ok && !fs.Changed("config") {
		path = v
	}
	file, err := readConfigFile(path, fs)
	if err != nil {
		return err
	}
	var errs []error
	fs.VisitAll(func(f *pflag.Flag) {
		if f.Changed || f.Name == "config" || f.Name == "help" {
			return
		}
		from, value, ok := envName(f.Name), "", false
		if value, ok = getenv(from); !ok {
			if value, ok = file[f.Name]; !ok {
				return
			}
			from = path + ": " + f.Name
		}
		if err := fs.Set(f.Name, value); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", from, err))
		}
	})
	return errors.Join(append(errs, liftFlags(fs))...)
}

// envName is the environment variable of a flag: GATEHOUSE_ROOT_ACCESS_KEY_ID.
func envName(flag string) string {
	return "GATEHOUSE_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// strayEnvironment names the variables that look like settings and are none.
func strayEnvironment(environ []string, fs *pflag.FlagSet) []string {
	known := map[string]bool{envName("config"): true}
	fs.VisitAll(func(f *pflag.Flag) { known[envName(f.Name)] = true })
	var stray []string
	for _, v := range environ {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, envName("")) && !known[name] {
			stray = append(stray, name)
		}
	}
	return stray
}

// readConfigFile reads a YAML mapping of flag names to values. An unknown name
// is an error: a misspelt setting must not be ignored.
func readConfigFile(path string, fs *pflag.FlagSet) (map[string]string, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	var raw map[string]any
	if err := yaml.NewDecoder(f).Decode(&raw); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	values := make(map[string]string, len(raw))
	for name, v := range raw {
		if fs.Lookup(name) == nil || name == "config" || name == "help" {
			return nil, fmt.Errorf("%s: unknown setting %q; the settings are the flags of this command without their dashes", path, name)
		}
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		parts := make([]string, len(list))
		for i, item := range list {
			parts[i] = fmt.Sprint(item)
		}
		values[name] = strings.Join(parts, ",")
	}
	return values, nil
}

var (
	accountID = regexp.MustCompile(`^[0-9]{12}$`)
	hostName  = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)
)

// check refuses settings that can't work or wouldn't be safe.
func (c *config) check() error {
	if !accountID.MatchString(c.AccountID) {
		return fmt.Errorf("--account-id %q: an AWS account id has twelve digits (quote it in a configuration file)", c.AccountID)
	}
	if !awswire.IsRegion(c.Region) {
		return fmt.Errorf("--region %q: must be the name of a region, as in eu-west-1", c.Region)
	}
	for _, addr := range slices.Concat([]string{c.Listen}, c.Traffic, c.TrafficTLS) {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			return fmt.Errorf("%q is no address to listen on: write HOST:PORT or :PORT", addr)
		}
	}
	var err error
	if c.endpoints, err = privateListeners(c.TrafficPrivate); err != nil {
		return err
	}
	if err := c.checkHTTP3(); err != nil {
		return err
	}
	if _, _, err := net.SplitHostPort(c.DNS); c.DNS != "" && err != nil {
		return fmt.Errorf("--dns %q is no address to listen on: write HOST:PORT", c.DNS)
	}
	if c.DNS == "" && len(c.DNSAddress) > 0 {
		return errors.New("--dns-address is what --dns answers, which isn't given")
	}
	if !hostName.MatchString(c.Domain) {
		return fmt.Errorf("--domain %q: must be a host name, without a scheme and a port", c.Domain)
	}
	if !slices.Contains([]string{"", "open", "strict"}, c.Auth) {
		return fmt.Errorf("--auth %q: must be open or strict", c.Auth)
	}
	if !slices.Contains([]string{"auto", "none"}, c.FunctionIsolation) {
		return fmt.Errorf("--function-isolation %q: must be auto or none", c.FunctionIsolation)
	}
	if _, err := operatorFormats(c.AccessLogFormat); err != nil {
		return fmt.Errorf("--access-log-format %q is neither clf, json, xml, csv nor a format in $context variables: %w", c.AccessLogFormat, err)
	}
	if c.AccessLog == "" && c.AccessLogFormat != defaultAccessLogFormat {
		return errors.New("--access-log-format is that of --access-log, which isn't given")
	}
	if c.AccountRateLimit == 0 && c.AccountBurstLimit != compile.AccountBurst {
		return errors.New("--account-burst-limit is that of --account-rate-limit, which isn't given")
	}
	if c.AccountRateLimit < 0 || math.IsNaN(c.AccountRateLimit) || c.AccountBurstLimit < 1 {
		return errors.New("--account-rate-limit can't be negative, nor --account-burst-limit less than 1")
	}
	if c.MaxConnections < 1 || c.MaxPerClient < 1 {
		return errors.New("--max-connections and --max-connections-per-client must be at least 1")
	}
	if c.MaxHeldMiB < leastHeld || c.MaxHeldMiB > math.MaxInt64>>20 {
		return fmt.Errorf("--max-held-bodies must be at least %d: the longest request and the longest response", leastHeld)
	}
	var known bool
	if c.limits, known = limitSets[c.Limits]; !known {
		return fmt.Errorf("--limits %q: must be aws or lifted", c.Limits)
	}
	if c.MaxCacheMiB < 0 || c.MaxCacheMiB > math.MaxInt64>>20 {
		return errors.New("--max-cache-memory can't be negative")
	}
	if c.WebSocketIdle <= 0 || c.WebSocketLifetime <= 0 {
		return errors.New("--websocket-idle-timeout and --websocket-lifetime must be positive, as in 10m")
	}
	if c.MaxRestTimeout < 29*time.Second || c.MaxRestTimeout > time.Hour {
		return errors.New("--rest-max-timeout must be from 29s to 1h")
	}
	for _, host := range c.JWTHTTPIssuers {
		name, port, err := net.SplitHostPort(host)
		if err != nil {
			name, port = host, "0"
		}
		if _, err := strconv.ParseUint(port, 10, 16); err != nil || !hostName.MatchString(name) {
			return fmt.Errorf("--jwt-http-issuer %q: write HOST or HOST:PORT", host)
		}
	}
	for _, host := range c.ManagementHosts {
		// One that begins with a dot stands for all below it.
		if _, err := netip.ParseAddr(host); err != nil && !hostName.MatchString(strings.TrimPrefix(host, ".")) {
			return fmt.Errorf("--management-host %q: must be a host name or an address, without a scheme and a port", host)
		}
	}
	if err := c.checkACME(); err != nil {
		return err
	}
	if (c.RootAccessKeyID == "") != (c.RootSecretAccessKey == "") {
		return errors.New("--root-access-key-id and --root-secret-access-key go together")
	}
	if _, err := c.trustedProxies(); err != nil {
		return err
	}
	if c.ProxyProtocol && len(c.TrustedProxies) == 0 {
		return errors.New("--proxy-protocol needs --trusted-proxies: whose word on addresses counts")
	}
	if _, err := c.awsEndpoints(nil); err != nil {
		return err
	}
	if (c.AWSAccessKeyID == "") != (c.AWSSecretAccessKey == "") || c.AWSSessionToken != "" && c.AWSAccessKeyID == "" {
		return errors.New("--aws-access-key-id and --aws-secret-access-key go together, and --aws-session-token goes with them")
	}
	if (c.S3AccessKeyID == "") != (c.S3SecretAccessKey == "") {
		return errors.New("--s3-access-key-id and --s3-secret-access-key go together")
	}
	if c.Data == "" {
		return errors.New("--data: there is no home directory to keep data in; name a directory")
	}
	// Functions run in directories of their own.
	data, err := filepath.Abs(c.Data)
	if err != nil {
		return err
	}
	c.Data = data
	if c.FunctionModules != "" {
		abs, err := filepath.Abs(c.FunctionModules)
		if err != nil {
			return err
		}
		if fi, err := os.Stat(abs); err != nil || !fi.IsDir() {
			return fmt.Errorf("--function-modules %q: no such directory", c.FunctionModules)
		}
		c.FunctionModules = abs
	}
	if !isLoopback(c.Listen) {
		if c.RootAccessKeyID == "" {
			return fmt.Errorf("--listen %s isn't loopback: management there needs --root-access-key-id and --root-secret-access-key", c.Listen)
		}
		if c.Auth == "open" {
			return fmt.Errorf("--auth open is for loopback only, and --listen %s isn't", c.Listen)
		}
		c.Auth = "strict"
	}
	if c.Auth == "" {
		c.Auth = "open"
	}
	_, err = c.level()
	return err
}

// checkHTTP3 refuses HTTP/3 where it couldn't be reached or would tell lies.
func (c *config) checkHTTP3() error {
	switch {
	case !c.HTTP3 && c.HTTP3Port != 0:
		return errors.New("--http3-port is that of --http3, which isn't given")
	case !c.HTTP3:
		return nil
	case len(c.TrafficTLS) == 0:
		return errors.New("--http3 needs --traffic-tls: HTTP/3 is served beside it, and never where management is")
	case c.ProxyProtocol:
		return errors.New("--http3 and --proxy-protocol exclude each other: a proxy has no way to say whom UDP is from")
	case c.HTTP3Port < 0 || c.HTTP3Port > 65535:
		return fmt.Errorf("--http3-port %d is no port", c.HTTP3Port)
	}
	return nil
}

func (c *config) level() (slog.Level, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return 0, fmt.Errorf("--log-level %q: must be debug, info, warn or error", c.LogLevel)
	}
	return l, nil
}

// checkNotIsolated refuses plain processes as functions where strangers can
// reach the gateway, unless the operator asked for them.
func (c *config) checkNotIsolated(reason string) error {
	if c.FunctionIsolation == "none" {
		return nil
	}
	addresses := slices.Concat([]string{c.Listen}, c.Traffic, c.TrafficTLS)
	for _, p := range c.endpoints {
		addresses = append(addresses, p.address)
	}
	for _, addr := range addresses {
		if !isLoopback(addr) {
			return fmt.Errorf("functions can't be isolated on this host (%s), and %s isn't loopback: --function-isolation none runs them as plain processes all the same", reason, addr)
		}
	}
	return nil
}

// managementHosts are the names that management answers to besides loopback's.
func (c *config) managementHosts() []string {
	host, _, err := net.SplitHostPort(c.Listen)
	if ip := net.ParseIP(host); err != nil || ip != nil && ip.IsUnspecified() {
		return c.ManagementHosts
	}
	return append(slices.Clone(c.ManagementHosts), host)
}

// trustedProxies are the addresses of --trusted-proxies; one without a length is
// itself.
func (c *config) trustedProxies() ([]netip.Prefix, error) {
	var list []netip.Prefix
	for _, text := range c.TrustedProxies {
		p, err := netip.ParsePrefix(text)
		if a, addrErr := netip.ParseAddr(text); err != nil && addrErr == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("--trusted-proxies %q: write 10.0.0.0/8", text)
		}
		list = append(list, p.Masked())
	}
	return list, nil
}

// loopback tells whether management is reachable from this machine only.
func (c *config) loopback() bool { return isLoopback(c.Listen) }

func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// defaultDataDir is $XDG_DATA_HOME/gatehouse, "" when there is no home.
func defaultDataDir() string {
	if dir := os.Getenv("XDG_DATA_HOME"); dir != "" {
		return filepath.Join(dir, "gatehouse")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".local", "share", "gatehouse")
}

// newFlagSet is an empty flag set, for the defaults of the settings alone.
func newFlagSet() *pflag.FlagSet { return pflag.NewFlagSet("gatehouse", pflag.ContinueOnError) }
