package acmeissuer

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/mholt/acmez/v3/acme"
)

const (
	// noAdvice is when to ask again an authority that has none to give.
	noAdvice = 24 * time.Hour
	// usualAdvice is when to ask again one that doesn't say.
	usualAdvice = 6 * time.Hour
	// maxAdvice is how long an answer may be.
	maxAdvice = 64 << 10
)

// An Advice is the time in which an authority wants a certificate renewed.
type Advice struct {
	Start, End  time.Time
	Explanation string // the URL of a page, "" for none
}

// At is a moment in it, chosen by chance, so that not everybody comes at once.
func (a Advice) At() time.Time {
	return a.Start.Add(rand.N(a.End.Sub(a.Start))).Truncate(time.Second)
}

// Advise asks the authority when to renew a certificate (RFC 9773), and says how
// long to wait before the next question. ok is false where it has no advice: it
// gives none at all, or didn't sign the certificate.
func (i *Issuer) Advise(ctx context.Context, leaf *x509.Certificate) (a Advice, again time.Duration, ok bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	client, pause := i.client()
	directory, err := client.GetDirectory(ctx)
	if err != nil {
		return a, 0, false, pause.wrap(err)
	}
	if directory.RenewalInfo == "" {
		return a, noAdvice, false, nil
	}
	id, err := acme.ARIUniqueIdentifier(leaf)
	if err != nil {
		return a, noAdvice, false, nil //nolint:nilerr // no authority of ACME signs such
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(directory.RenewalInfo, "/")+"/"+id, nil)
	if err != nil {
		return a, 0, false, err
	}
	r.Header.Set("User-Agent", client.UserAgent)
	resp, err := client.HTTPClient.Do(r)
	if err != nil {
		return a, 0, false, err
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end, or of no use
	switch {
	case resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusBadRequest:
		return a, noAdvice, false, nil // it doesn't know the certificate
	case resp.StatusCode != http.StatusOK:
		return a, 0, false, pause.wrap(fmt.Errorf("renewal information: %s", resp.Status))
	}
	var info acme.RenewalInfo
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAdvice)).Decode(&info); err != nil {
		return a, 0, false, fmt.Errorf("renewal information: %w", err)
	}
	a = Advice{info.SuggestedWindow.Start, info.SuggestedWindow.End, info.ExplanationURL}
	if a.Start.IsZero() || !a.Start.Before(a.End) {
		return Advice{}, 0, false, fmt.Errorf("renewal information: the time from %s to %s is none", a.Start, a.End)
	}
	again, said := retryAfter(resp.Header)
	if !said {
		again = usualAdvice
	}
	return a, again, true, nil
}

// Revoke has the authority revoke a certificate, for a reason of RFC 5280, 5.3.1.
// One whose key is known to others is revoked with that key, by which authorities
// know that it is; any other by the account that ordered it. To revoke what is
// revoked is no error.
func (i *Issuer) Revoke(ctx context.Context, leaf *x509.Certificate, key crypto.Signer, reason int) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	client, pause := i.client()
	account, err := i.signUp(ctx, client)
	if err != nil {
		return pause.wrap(fmt.Errorf("account at %s: %w", i.options.Directory, err))
	}
	if reason != acme.ReasonKeyCompromise {
		key = nil // which is the account's
	}
	err = client.RevokeCertificate(ctx, account, leaf, key, reason)
	if err == nil || ProblemOf(err) == "alreadyRevoked" {
		return nil
	}
	return pause.wrap(fmt.Errorf("revoke at %s: %w", i.options.Directory, err))
}
