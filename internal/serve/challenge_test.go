package serve

import (
	"crypto/tls"
	"net/http"
	"testing"
)

type oneChallenge struct{ http.Handler }

func (oneChallenge) Serves(host, path string) bool {
	return host == "a.test" && path == challengePrefix+"token"
}

func (oneChallenge) Certificate(name string) (*tls.Certificate, bool) {
	return &tls.Certificate{}, name == "a.test"
}

func TestChallenged(t *testing.T) {
	s := &Server{Options: Options{Challenges: oneChallenge{}}}
	for _, tt := range []struct {
		host, path string
		want       bool
	}{
		{"a.test", challengePrefix + "token", true},
		{"a.test:80", challengePrefix + "token", true},
		{"b.test", challengePrefix + "token", false},
		{"a.test", challengePrefix + "other", false},
		{"a.test", "/token", false},
	} {
		if got := s.challenged(tt.host, tt.path); got != tt.want {
			t.Errorf("%s%s: %t", tt.host, tt.path, got)
		}
	}
	for _, tt := range []struct {
		name   string
		protos []string
		want   bool
	}{
		{"a.test", []string{acmeTLS}, true},
		{"b.test", []string{acmeTLS}, false},
		{"a.test", []string{"h2", "http/1.1"}, false},
		{"a.test", []string{acmeTLS, "h2"}, false}, // no authority's
		{"a.test", nil, false},
	} {
		if got := s.challengeConfig(&tls.ClientHelloInfo{ServerName: tt.name, SupportedProtos: tt.protos}); (got != nil) != tt.want {
			t.Errorf("%s %v: %v", tt.name, tt.protos, got)
		}
	}
	if none := (&Server{}); none.challenged("a.test", challengePrefix+"token") || none.challengeConfig(&tls.ClientHelloInfo{SupportedProtos: []string{acmeTLS}}) != nil {
		t.Error("challenges where no authority asks")
	}
}
