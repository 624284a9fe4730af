package conformance

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A TLS is how a step's client shakes hands. It looks at no certificate, so that
// each can be asked for by expect.
type TLS struct {
	// Name is the server's in the handshake, "" for none; that of the Host by
	// default.
	Name *string `yaml:"name"`
	// Versions, Suites and Groups are what the client offers: versions as in
	// "1.2", suites of TLS 1.2 and before by openssl's names, key exchanges by
	// crypto/tls's. What is left out is crypto/tls's own choice.
	Versions []string `yaml:"versions"`
	Suites   []string `yaml:"suites"`
	Groups   []string `yaml:"groups"`
	// Protocols are those of ALPN.
	Protocols []string `yaml:"protocols"`
	// Certificate is what the client shows to a server that asks, Chain what it
	// sends along.
	Certificate string   `yaml:"certificate"`
	Chain       []string `yaml:"chain"`
	// Resume keeps the session, and goes on with the one that an earlier step of
	// the case kept for the name.
	Resume bool `yaml:"resume"`
}

// An ExpectTLS is what was agreed on, and what the server showed. What it leaves
// out isn't looked at.
type ExpectTLS struct {
	Version string `yaml:"version"`
	Suite   string `yaml:"suite"`
	// Protocol is that of ALPN, "" for none.
	Protocol *string `yaml:"protocol"`
	// Certificate is the name of the one that the server shows, Not are those that
	// it doesn't, Names are its DNS names, Chain is what is sent along.
	Certificate string    `yaml:"certificate"`
	Not         []string  `yaml:"not"`
	Names       []string  `yaml:"names"`
	Chain       *[]string `yaml:"chain"`
	// Resumed tells whether a session goes on.
	Resumed *bool `yaml:"resumed"`
}

// An Offer is what each client of several has alone.
type Offer struct {
	// Name is the server's in the handshake.
	Name     string  `yaml:"name"`
	Versions Choices `yaml:"versions"`
	// Suites are offered with TLS 1.2, Groups with TLS 1.3.
	Suites Choices `yaml:"suites"`
	Groups Choices `yaml:"groups"`
}

// Choices are taken or refused.
type Choices struct {
	Taken   []string `yaml:"taken"`
	Refused []string `yaml:"refused"`
}

var versions = map[string]uint16{"1.0": tls.VersionTLS10, "1.1": tls.VersionTLS11, "1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}

// suites are the cipher suites that crypto/tls has, by the names of AWS's tables.
var suites = map[string]uint16{
	"TLS_AES_128_GCM_SHA256": tls.TLS_AES_128_GCM_SHA256, "TLS_AES_256_GCM_SHA384": tls.TLS_AES_256_GCM_SHA384, "TLS_CHACHA20_POLY1305_SHA256": tls.TLS_CHACHA20_POLY1305_SHA256,
	"ECDHE-ECDSA-AES128-GCM-SHA256": tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "ECDHE-RSA-AES128-GCM-SHA256": tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	"ECDHE-ECDSA-AES256-GCM-SHA384": tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "ECDHE-RSA-AES256-GCM-SHA384": tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	"ECDHE-ECDSA-AES128-SHA256": tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, "ECDHE-RSA-AES128-SHA256": tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
	"ECDHE-ECDSA-AES128-SHA": tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, "ECDHE-RSA-AES128-SHA": tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
	"ECDHE-ECDSA-AES256-SHA": tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, "ECDHE-RSA-AES256-SHA": tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
	"ECDHE-ECDSA-CHACHA20-POLY1305": tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-RSA-CHACHA20-POLY1305": tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	"AES128-GCM-SHA256": tls.TLS_RSA_WITH_AES_128_GCM_SHA256, "AES256-GCM-SHA384": tls.TLS_RSA_WITH_AES_256_GCM_SHA384, "AES128-SHA256": tls.TLS_RSA_WITH_AES_128_CBC_SHA256,
	"AES128-SHA": tls.TLS_RSA_WITH_AES_128_CBC_SHA, "AES256-SHA": tls.TLS_RSA_WITH_AES_256_CBC_SHA, "DES-CBC3-SHA": tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA,
	"RC4-SHA": tls.TLS_RSA_WITH_RC4_128_SHA, "ECDHE-RSA-RC4-SHA": tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA,
}

// groups are the key exchanges that crypto/tls has.
var groups = map[string]tls.CurveID{
	"X25519": tls.X25519, "P-256": tls.CurveP256, "P-384": tls.CurveP384, "P-521": tls.CurveP521,
	"X25519MLKEM768": tls.X25519MLKEM768, "SecP256r1MLKEM768": tls.SecP256r1MLKEM768, "SecP384r1MLKEM1024": tls.SecP384r1MLKEM1024,
}

// A refusal is why a connection ended before anything was answered.
type refusal struct{ err error }

func (r *refusal) Error() string { return "refused: " + r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

// refused makes a refusal of an error, unless it took too long: who waits hasn't
// been refused.
func refused(err error) error {
	var slow net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &slow) && slow.Timeout() {
		return err
	}
	return &refusal{err}
}

// known looks names up in a table.
func known[V any](what string, table map[string]V, names []string) ([]V, error) {
	var values []V
	for _, name := range names {
		v, ok := table[name]
		if !ok {
			return nil, fmt.Errorf("%q is none of the %s that can be had here", name, what)
		}
		values = append(values, v)
	}
	return values, nil
}

// check refuses names that aren't known.
func (t *TLS) check() error {
	_, err := t.offers(&tls.Config{})
	return err
}

// check refuses an offer of nothing, and names that aren't known.
func (o *Offer) check() error {
	offered := TLS{
		Versions: slices.Concat(o.Versions.Taken, o.Versions.Refused), Suites: slices.Concat(o.Suites.Taken, o.Suites.Refused),
		Groups: slices.Concat(o.Groups.Taken, o.Groups.Refused),
	}
	if o.Name == "" || len(offered.Versions)+len(offered.Suites)+len(offered.Groups) == 0 {
		return errors.New("offers has the name of a server and what is offered to it")
	}
	return offered.check()
}

// offers sets what the client offers.
func (t *TLS) offers(c *tls.Config) (*tls.Config, error) {
	between, err := known("versions", versions, t.Versions)
	if err != nil {
		return nil, err
	}
	if len(between) > 0 {
		c.MinVersion, c.MaxVersion = slices.Min(between), slices.Max(between)
	}
	if c.CipherSuites, err = known("suites", suites, t.Suites); err != nil {
		return nil, err
	}
	if c.CurvePreferences, err = known("groups", groups, t.Groups); err != nil {
		return nil, err
	}
	c.NextProtos = t.Protocols
	return c, nil
}

// config is how the step's client shakes hands; nil for a plain connection. text
// is the request, whose Host is the name by default.
func (r *run) config(s *Step, base *url.URL, text string) (*tls.Config, error) {
	if s.TLS == nil {
		if s.HTTP2 {
			return tlsConfig(base), nil
		}
		return secure(base), nil
	}
	name := hostOf(text, base)
	if s.TLS.Name != nil {
		var err error
		if name, err = expand(*s.TLS.Name, r.lookup); err != nil {
			return nil, err
		}
	}
	c, err := s.TLS.offers(&tls.Config{ServerName: name, InsecureSkipVerify: true})
	if err != nil {
		return nil, err
	}
	if s.TLS.Resume {
		c.ClientSessionCache = r.sessions
	}
	if s.TLS.Certificate == "" {
		return c, nil
	}
	shown, err := r.scene.shown(s.TLS.Certificate, s.TLS.Chain)
	if err != nil {
		return nil, err
	}
	// Whatever the server says it would like.
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return shown, nil }
	return c, nil
}

// hostOf is the name in the Host of a request's text, that of the base URL
// without one.
func hostOf(text string, base *url.URL) string {
	head, _, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	hosts := valuesOf(fieldsOf(lines[1:]), "host")
	if len(hosts) == 0 {
		return base.Hostname()
	}
	name, _, err := net.SplitHostPort(hosts[0])
	if err != nil {
		return hosts[0]
	}
	return name
}

// dial connects to the address, or to where the base URL says, and shakes hands
// unless config is nil.
func dial(ctx context.Context, base *url.URL, address string, config *tls.Config) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addressOf(base, address))
	if err != nil || config == nil {
		return conn, err
	}
	over := tls.Client(conn, config)
	if err := over.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, refused(err)
	}
	return over, nil
}

// stateOf is what a connection agreed on; nil for a plain one.
func stateOf(conn net.Conn) *tls.ConnectionState {
	over, ok := conn.(*tls.Conn)
	if !ok {
		return nil
	}
	return new(over.ConnectionState())
}

// shake only shakes hands. A server that refuses a client of TLS 1.3 may say so
// after the client has done its part, so that there has to be an answer.
func (r *run) shake(ctx context.Context, base *url.URL, config *tls.Config) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	conn, err := dial(ctx, base, r.world.Address, config)
	if err != nil {
		return nil, err
	}
	defer conn.Close() //nolint:errcheck // there is nothing more to say
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	a := &answer{line: "a handshake", tls: stateOf(conn)}
	greeting := "GET / HTTP/1.1\r\nHost: " + or(config.ServerName, "localhost") + "\r\n\r\n"
	if a.tls.NegotiatedProtocol == "h2" {
		greeting = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	}
	_, err = io.WriteString(conn, greeting)
	if err == nil {
		_, err = io.ReadFull(conn, make([]byte, 1))
	}
	if err != nil {
		return nil, refused(err)
	}
	return a, nil
}

// offer has a client for each choice and compares which of them get in.
func (r *run) offer(ctx context.Context, s *Step) error {
	base, err := r.base(s)
	if err != nil {
		return err
	}
	name, err := expand(s.Offers.Name, r.lookup)
	if err != nil {
		return err
	}
	var problems []error
	try := func(what string, client TLS, choice string, taken bool) {
		config, err := client.offers(&tls.Config{ServerName: name, InsecureSkipVerify: true})
		if err == nil {
			_, err = r.shake(ctx, base, config)
		}
		var no *refusal
		switch {
		case err != nil && !errors.As(err, &no):
			problems = append(problems, fmt.Errorf("%s %s: %w", what, choice, err))
		case taken && err != nil:
			problems = append(problems, fmt.Errorf("%s %s is %w", what, choice, err))
		case !taken && err == nil:
			problems = append(problems, fmt.Errorf("%s %s is taken", what, choice))
		}
	}
	each := func(what string, choices Choices, client func(choice string) TLS) {
		for _, choice := range choices.Taken {
			try(what, client(choice), choice, true)
		}
		for _, choice := range choices.Refused {
			try(what, client(choice), choice, false)
		}
	}
	each("version", s.Offers.Versions, func(v string) TLS { return TLS{Versions: []string{v}} })
	each("suite", s.Offers.Suites, func(c string) TLS { return TLS{Versions: []string{"1.2"}, Suites: []string{c}} })
	each("group", s.Offers.Groups, func(g string) TLS { return TLS{Versions: []string{"1.3"}, Groups: []string{g}} })
	return errors.Join(problems...)
}

// handshake compares what was agreed on.
func (r *run) handshake(want *ExpectTLS, got *tls.ConnectionState) error {
	if got == nil {
		return errors.New("tls: there was no handshake")
	}
	var problems []error
	note := func(what string, got, want any) {
		if fmt.Sprint(got) != fmt.Sprint(want) {
			problems = append(problems, fmt.Errorf("tls: %s: got %q, want %q", what, fmt.Sprint(got), fmt.Sprint(want)))
		}
	}
	if want.Version != "" {
		note("version", tls.VersionName(got.Version), "TLS "+want.Version)
	}
	if want.Suite != "" {
		note("suite", tls.CipherSuiteName(got.CipherSuite), tls.CipherSuiteName(suites[want.Suite]))
	}
	if want.Protocol != nil {
		note("protocol", got.NegotiatedProtocol, *want.Protocol)
	}
	if want.Resumed != nil {
		note("resumed", got.DidResume, *want.Resumed)
	}
	if len(got.PeerCertificates) == 0 {
		return errors.Join(append(problems, errors.New("tls: the server shows no certificate"))...)
	}
	if want.Names != nil {
		names, err := expandAll(anyList(want.Names), r.lookup)
		if err != nil {
			return err
		}
		note("names", got.PeerCertificates[0].DNSNames, names)
	}
	if want.Certificate != "" {
		problems = append(problems, r.same(want.Certificate, got.PeerCertificates[0]))
	}
	for _, name := range want.Not {
		if r.same(name, got.PeerCertificates[0]) == nil {
			problems = append(problems, fmt.Errorf("tls: the server shows %s", name))
		}
	}
	if want.Chain != nil {
		note("length of the chain", len(got.PeerCertificates)-1, len(*want.Chain))
		for i, name := range *want.Chain {
			if i+1 < len(got.PeerCertificates) {
				problems = append(problems, r.same(name, got.PeerCertificates[i+1]))
			}
		}
	}
	return errors.Join(problems...)
}

// same compares a certificate that was shown.
func (r *run) same(name string, got *x509.Certificate) error {
	want, err := r.scene.certificate(name)
	if err == nil && !want.x509.Equal(got) {
		err = fmt.Errorf("tls: the server shows %s, serial number %x, where %s is expected", got.Subject, got.SerialNumber, name)
	}
	return err
}

func anyList(texts []string) []any {
	list := make([]any, len(texts))
	for i, text := range texts {
		list[i] = text
	}
	return list
}

// A kept is a connection that a case's steps share.
type kept struct {
	net.Conn
	reader *bufio.Reader
}

// over sends a request over the connection of a name, which is made first if
// there is none, and keeps it.
func (r *run) over(ctx context.Context, name string, base *url.URL, config *tls.Config, request []byte) (*answer, error) {
	c := r.kept[name]
	if c == nil {
		conn, err := dial(ctx, base, r.world.Address, config)
		if err != nil {
			return nil, err
		}
		c = &kept{conn, bufio.NewReader(conn)}
		r.kept[name] = c
	}
	if err := c.SetDeadline(time.Now().Add(answerTimeout)); err != nil {
		return nil, err
	}
	return ask(c.Conn, c.reader, request)
}
