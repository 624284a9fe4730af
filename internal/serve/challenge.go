package serve

import (
	"crypto/tls"
	"slices"
	"strings"
)

// Challenges answer an authority of certificates that asks whether names lead
// here (ACME).
type Challenges interface {
	// A Site for HTTP-01: it has the say before any API has.
	Site
	// Certificate is what to show for a name to who wants to speak acme-tls/1.
	Certificate(name string) (*tls.Certificate, bool)
}

// challengePrefix is where HTTP-01 asks.
const challengePrefix = "/.well-known/acme-challenge/"

// acmeTLS is what TLS-ALPN-01 wants to speak. Nothing is spoken after the
// handshake (RFC 8737).
const acmeTLS = "acme-tls/1"

// challenged tells whether a request is an authority's. host may have a port.
func (s *Server) challenged(host, path string) bool {
	if s.Challenges == nil || !strings.HasPrefix(path, challengePrefix) {
		return false
	}
	if at := strings.IndexByte(host, ':'); at >= 0 {
		host = host[:at]
	}
	return s.Challenges.Serves(host, path)
}

// challengeConfig is how hands are shaken with an authority that asks; nil for
// everybody else.
func (s *Server) challengeConfig(hello *tls.ClientHelloInfo) *tls.Config {
	if s.Challenges == nil || !slices.Equal(hello.SupportedProtos, []string{acmeTLS}) {
		return nil
	}
	cert, ok := s.Challenges.Certificate(hello.ServerName)
	if !ok {
		return nil
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{acmeTLS}, Certificates: []tls.Certificate{*cert}}
}
