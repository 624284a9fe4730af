package authorize

import (
	"errors"
	"strings"
	"time"

	"gatehouse/internal/awswire/sigv4"
	"gatehouse/internal/plan"
	"gatehouse/internal/policy"
)

// executeAPI is the name that signatures of traffic are scoped to.
const executeAPI = "execute-api"

// signatureSkew is how far a signer's clock may be from ours.
//
// UNVERIFIED: that it is as short for HTTP APIs and WebSocket APIs as for REST
// APIs, whose answers name it.
const signatureSkew = 5 * time.Minute

// Signers finds who signs. It must not block.
type Signers interface {
	// Signer finds whose an access key and the session token beside it are, "" for
	// none. It is false for a key that doesn't exist or is switched off, and for a
	// token that isn't the key's. A session that has ended is found all the same.
	Signer(accessKeyID, token string) (Signer, bool)
	// Used notes that a key has made a signature that is right, whatever policies
	// say then. userID is the Caller's; the strings may be kept.
	Used(accessKeyID, userID, region string, at time.Time)
}

// A Signer is whom an access key belongs to. Nothing in it may be changed.
type Signer struct {
	// Secret is what the key's signatures are made with.
	Secret string
	// Expires is the end of a session; zero for a key that lasts.
	Expires time.Time
	Caller  policy.Caller
	// Subject are the caller's own policies, nil for none.
	Subject *policy.Subject
	// Keys are the condition keys that tell who the caller is.
	Keys policy.Keys
}

// An IAM is AWS_IAM authorization: requests have to be signed, and policies have
// to allow the signer what is asked for.
type IAM struct {
	Signers Signers
	// Keys may serve many authorizers.
	Keys *SigningKeys
	// Policy is the resource policy of a REST API, nil for none.
	Policy *ResourcePolicy
	Clock  func() time.Time
}

// Authorize implements plan.Authorizer.
func (a *IAM) Authorize(x *plan.Exchange) error {
	start := a.Clock()
	signer, err := a.authenticate(x, start)
	authenticated := a.Clock()
	x.Authorizer.Authenticate = checkReport(err, authenticated.Sub(start))
	if err != nil {
		return err
	}
	err = a.authorize(x, &signer, start)
	x.Authorizer.Authorize = checkReport(err, a.Clock().Sub(authenticated))
	return err
}

func checkReport(err error, took time.Duration) plan.CheckReport {
	if err == nil {
		return plan.CheckReport{Status: 200, Latency: took}
	}
	var fault *plan.Fault
	if !errors.As(err, &fault) {
		return plan.CheckReport{} // the request broke off
	}
	return plan.CheckReport{Status: 403, Latency: took, Error: fault.Reason}
}

// authenticate finds out who signed a request and notes it on the exchange.
func (a *IAM) authenticate(x *plan.Exchange, now time.Time) (Signer, error) {
	r := signedRequests.Get().(*signedRequest)
	defer r.release()
	r.of(x)
	// UNVERIFIED: that only REST APIs take signatures of version 4a.
	parse := sigv4.Parse
	if x.Stage.API.Protocol == plan.REST {
		parse = sigv4.ParseAny
	}
	s, err := parse(&r.request)
	if err != nil {
		return Signer{}, signatureFault(x, err)
	}
	signer, ok := a.Signers.Signer(s.AccessKeyID, s.Token)
	if !ok {
		return Signer{}, &plan.Fault{Kind: plan.UnrecognizedClient, Reason: "nobody has the access key, or the session token isn't the key's"}
	}
	if !signer.Expires.IsZero() && !now.Before(signer.Expires) {
		return Signer{}, &plan.Fault{Kind: plan.ExpiredToken, Reason: "the session of the access key has ended"}
	}
	if x.Request.Sent != "" && !s.Signs("x-http-method-override") {
		// Anybody between the signer and here could have asked for it.
		// UNVERIFIED: that AWS minds.
		return Signer{}, &plan.Fault{
			Kind: plan.InvalidSignature, Reason: "X-HTTP-Method-Override isn't signed",
			Message: "'X-HTTP-Method-Override' must be a 'SignedHeader' in the AWS Authorization.",
		}
	}
	key := a.Keys.of(s, signer.Secret)
	if key == nil {
		return Signer{}, &plan.Fault{Kind: plan.InvalidSignature, Reason: "no key can be made of the secret"}
	}
	if err := r.verify(s, sigv4.Check{
		Key: key.key, PublicKey: key.public, Now: now, Skew: signatureSkew,
		Region: x.Stage.API.Region, Service: executeAPI,
	}); err != nil {
		return Signer{}, signatureFault(x, err)
	}
	a.Signers.Used(key.accessKeyID, signer.Caller.UserID, x.Stage.API.Region, now)
	x.Caller = plan.Caller{
		AccountID: signer.Caller.Account, ID: signer.Caller.UserID, AccessKeyID: key.accessKeyID, ARN: signer.Caller.ARN,
		SessionToken: strings.Clone(s.Token), // it outlives the handshake of a connection
	}
	return signer, nil
}

// authorize asks the policies what the signer may do.
func (a *IAM) authorize(x *plan.Exchange, signer *Signer, now time.Time) error {
	q := inquiries.Get().(*inquiry)
	defer q.release()
	q.of(x, now, a.Policy)
	q.request.Caller, q.keys.caller = signer.Caller, signer.Keys
	return q.answer(signer.Subject)
}

// signatureFault is the fault of a request whose signature is missing or wrong.
func signatureFault(x *plan.Exchange, err error) error {
	var e *sigv4.Error
	if !errors.As(err, &e) {
		return err // the body couldn't be read
	}
	switch e.Reason {
	case sigv4.Missing:
		if text := unreadable(x); text != "" {
			return &plan.Fault{Kind: plan.IncompleteSignature, Reason: "the Authorization header is no signature", Message: text}
		}
		return &plan.Fault{Kind: plan.Unsigned, Reason: "the request isn't signed"}
	case sigv4.Incomplete:
		// The message may repeat what was sent, which logs shouldn't.
		return &plan.Fault{Kind: plan.IncompleteSignature, Reason: "the signature can't be read", Message: e.Message}
	}
	fault := &plan.Fault{Kind: plan.InvalidSignature, Reason: e.Message, Message: e.Message}
	if e.Canonical != "" {
		// UNVERIFIED: the last line's end.
		fault.Message += "\n\nThe Canonical String for this request should have been\n'" + e.Canonical +
			"'\n\nThe String-to-Sign should have been\n'" + e.StringToSign + "'\n"
	}
	return fault
}

// unreadable is what AWS says of a request's Authorization header that is no
// signature, "" for none.
func unreadable(x *plan.Exchange) string {
	authorization, _ := x.Request.Headers.Lookup("authorization")
	_, dated := x.Request.Headers.Lookup("x-amz-date")
	if !dated {
		_, dated = x.Request.Headers.Lookup("date")
	}
	return sigv4.Unreadable(authorization, dated)
}
