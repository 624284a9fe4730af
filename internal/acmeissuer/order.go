package acmeissuer

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/mholt/acmez/v3"
	"github.com/mholt/acmez/v3/acme"
)

// An order is one certificate that is asked for. Each name is proven in one way:
// authorities count what fails, so that the next way waits for the next order.
type order struct {
	*Issuer
	client   *acme.Client
	pause    *pause
	account  acme.Account
	names    []string
	places   map[string]string // of DNS records, by the name without its star
	replaces *x509.Certificate
}

// place asks for the certificate of a key and waits for it.
func (o *order) place(ctx context.Context, key crypto.Signer) ([][]byte, error) {
	csr, err := acmez.NewCSR(key, o.names)
	if err != nil {
		return nil, err
	}
	if o.account, err = o.signUp(ctx, o.client); err != nil {
		return nil, fmt.Errorf("account: %w", err)
	}
	placed, err := o.new(ctx)
	if err != nil {
		return nil, err
	}
	if err := o.prove(ctx, placed); err != nil {
		return nil, err
	}
	placed, err = o.client.FinalizeOrder(ctx, o.account, placed, csr.Raw)
	if err != nil {
		return nil, fmt.Errorf("the names are proven, the certificate wasn't signed: %w", err)
	}
	chains, err := o.client.GetCertificateChain(ctx, o.account, placed.Certificate)
	if err != nil {
		return nil, fmt.Errorf("the certificate is signed and couldn't be fetched: %w", err)
	}
	var ders [][]byte
	if len(chains) > 0 {
		for block, rest := pem.Decode(chains[0].ChainPEM); block != nil; block, rest = pem.Decode(rest) {
			ders = append(ders, block.Bytes)
		}
	}
	if len(ders) == 0 {
		return nil, errors.New("the answer has no certificate")
	}
	return ders, nil
}

// new places the order. An authority that doesn't want to replace what is to be
// replaced may sign all the same.
func (o *order) new(ctx context.Context) (acme.Order, error) {
	wanted := acme.Order{Profile: o.options.Profile}
	for _, name := range o.names {
		wanted.Identifiers = append(wanted.Identifiers, acme.Identifier{Type: "dns", Value: name})
	}
	if o.replaces != nil {
		id, err := acme.ARIUniqueIdentifier(o.replaces)
		if err != nil {
			return wanted, err
		}
		wanted.Replaces = id
	}
	placed, err := o.client.NewOrder(ctx, o.account, wanted)
	if problem, ok := problemIn(err); ok && wanted.Replaces != "" && problem.Status < 500 && problem.Type != acme.ProblemTypeRateLimited {
		wanted.Replaces = ""
		placed, err = o.client.NewOrder(ctx, o.account, wanted)
	}
	return placed, err
}

// An authorization is a name that is being proven.
type authorization struct {
	acme.Authorization
	challenge acme.Challenge
	withdraw  func()
}

// prove proves the names that the authority wants proven. All are prepared
// before it looks at the first one: a name and its wildcard share their record.
func (o *order) prove(ctx context.Context, placed acme.Order) error {
	var open []*authorization
	defer func() {
		for _, a := range open {
			a.withdraw()
		}
	}()
	for _, url := range placed.Authorizations {
		a := &authorization{withdraw: func() {}}
		var err error
		if a.Authorization, err = o.client.GetAuthorization(ctx, o.account, url); err != nil {
			return err
		}
		switch a.Status {
		case acme.StatusValid: // from an order before
			continue
		case acme.StatusPending:
		default:
			return fmt.Errorf("the authority calls the authorization of %s %s", a.IdentifierValue(), a.Status)
		}
		if err := o.present(a); err != nil {
			return err
		}
		open = append(open, a)
	}
	for _, a := range open {
		if _, err := o.client.InitiateChallenge(ctx, o.account, a.challenge); err != nil {
			return fmt.Errorf("%s by %s: %w", a.IdentifierValue(), a.challenge.Type, err)
		}
	}
	var errs []error
	for _, a := range open {
		_, err := o.client.PollAuthorization(ctx, o.account, a.Authorization)
		if ctx.Err() != nil {
			return errors.Join(append(errs, ctx.Err())...)
		}
		if err != nil {
			o.failures.add(a.IdentifierValue(), a.challenge.Type)
			errs = append(errs, fmt.Errorf("%s by %s: %w", a.IdentifierValue(), a.challenge.Type, err))
		}
	}
	return errors.Join(errs...)
}

// present chooses how a name is proven, and answers so from now on.
func (o *order) present(a *authorization) error {
	place, inDNS := o.places[a.Identifier.Value]
	ways := o.ways(inDNS, a.Wildcard)
	// Which of the ways, the failures say: each is tried in its turn.
	var offered []acme.Challenge
	for _, kind := range ways {
		for _, ch := range a.Challenges {
			if ch.Type == kind {
				offered = append(offered, ch)
			}
		}
	}
	if len(offered) == 0 {
		return fmt.Errorf("the authority wants %s proven in no way that is possible here (%s)", a.IdentifierValue(), strings.Join(ways, ", "))
	}
	ch := o.failures.fewest(a.IdentifierValue(), offered)
	a.challenge = ch
	switch ch.Type {
	case acme.ChallengeTypeDNS01:
		value := ch.DNS01KeyAuthorization()
		o.options.Records.Put(place, value)
		a.withdraw = func() { o.options.Records.Remove(place, value) }
		return nil
	case acme.ChallengeTypeHTTP01:
		a.withdraw = o.challenges.answerHTTP(ch)
		return nil
	default:
		var err error
		a.withdraw, err = o.challenges.answerTLS(ch)
		return err
	}
}

// ways are how a name can be proven, the best first.
func (o *order) ways(inDNS, wildcard bool) []string {
	var ways []string
	if inDNS {
		ways = append(ways, acme.ChallengeTypeDNS01)
	}
	switch {
	case wildcard:
		return ways
	case o.options.OnlyTLS:
		return append(ways, acme.ChallengeTypeTLSALPN01, acme.ChallengeTypeHTTP01)
	default:
		return append(ways, acme.ChallengeTypeHTTP01, acme.ChallengeTypeTLSALPN01)
	}
}
