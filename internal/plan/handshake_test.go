package plan

import (
	"crypto/x509"
	"errors"
	"testing"
	"time"
)

// A moody truststore trusts until a time, and counts how often it is asked.
type moody struct {
	until time.Time
	asked int
}

var errEnded = errors.New("the authority has expired")

func (m *moody) Check(_ []*x509.Certificate, at time.Time) error {
	if m.asked++; at.After(m.until) {
		return errEnded
	}
	return nil
}

// TestJudgements sends requests on one connection, whose client's certificate
// outlives the authority that vouches for it.
func TestJudgements(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	h := &Handshake{Chain: []*x509.Certificate{{NotAfter: start.AddDate(1, 0, 0)}}}
	store := &moody{until: start.Add(30 * time.Minute)}
	for _, tt := range []struct {
		after time.Duration
		want  error
		asked int
	}{
		{0, nil, 1}, {time.Minute, nil, 1}, {time.Hour, errEnded, 2}, {time.Hour + time.Second, errEnded, 2}, {time.Hour + time.Minute, errEnded, 3},
	} {
		if err := h.check(store, start.Add(tt.after)); !errors.Is(err, tt.want) || store.asked != tt.asked {
			t.Errorf("after %s: %v, asked %d times; want %v, %d", tt.after, err, store.asked, tt.want, tt.asked)
		}
	}
	// The client's own end counts at once.
	h = &Handshake{Chain: []*x509.Certificate{{NotAfter: start.Add(time.Minute)}}}
	store = &moody{until: start.Add(time.Minute)}
	if err := h.check(store, start); err != nil {
		t.Error(err)
	}
	if err := h.check(store, start.Add(2*time.Minute)); !errors.Is(err, errEnded) {
		t.Errorf("after the certificate's end: %v", err)
	}
}
