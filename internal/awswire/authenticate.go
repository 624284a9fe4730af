package awswire

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"

	"gatehouse/internal/awswire/sigv4"
)

// identify finds the access key a call names. It returns nil for a call that
// is not signed, and for an unknown key that the open mode accepts as root;
// such a key is then already the call's principal.
func (h *Handler) identify(r *request, parseErr error) (*Credential, error) {
	if parseErr != nil {
		var e *sigv4.Error
		if errors.As(parseErr, &e) && e.Reason == sigv4.Missing {
			return nil, nil // decided once the operation is known
		}
		return nil, signatureError(r, parseErr)
	}
	s := r.signature
	if !s.Asymmetric && !IsRegion(s.Scope.Region) {
		return nil, signatureError(r, &sigv4.Error{Reason: sigv4.WrongScope, Message: "Credential should be scoped to a valid region. "})
	}
	r.call.Region = s.Scope.Region
	var cred *Credential
	if h.o.Auth.Credentials != nil {
		var err error
		if cred, err = lookup(r.Context(), h.o.Auth.Credentials, s.AccessKeyID, s.Token); err != nil {
			return nil, internalFailure(err)
		}
	}
	if cred != nil {
		if !cred.Expires.IsZero() && !r.call.Time.Before(cred.Expires) {
			return nil, authError("ExpiredToken", "ExpiredTokenException", "The security token included in the request is expired")
		}
		if !tokenMatches(cred, s.Token) {
			return nil, invalidToken()
		}
		r.call.Principal = cred.Principal
		r.call.Principal.AccessKeyID = s.AccessKeyID
		if cred.Principal.Account != "" {
			r.call.Account = cred.Principal.Account
		}
		return cred, nil
	}
	// A presigned link to an unknown key could have been put on any web page.
	if !h.o.Auth.Open || s.Presigned {
		return nil, invalidToken()
	}
	account := h.o.Account
	if isAccount(s.AccessKeyID) {
		account = s.AccessKeyID
	}
	r.call.Account = account
	r.call.Principal = Principal{Account: account, ARN: "arn:aws:iam::" + account + ":root", UserID: account, AccessKeyID: s.AccessKeyID, Root: true}
	return nil, nil
}

// authenticate verifies the signature of a routed call.
func (h *Handler) authenticate(r *request, cred *Credential) error {
	if r.signature == nil {
		if r.route.operation.Unsigned {
			return nil
		}
		return missingToken(r)
	}
	if cred == nil {
		return nil // open mode: nobody knows the secret
	}
	c := sigv4.Check{Secret: cred.Secret, Now: r.call.Time, Service: r.route.service.SigningName}
	if !sigv4.Unsigned(&r.signed) {
		c.BodyHash = sigv4.Hash(r.body)
	}
	err := r.signature.Verify(&r.signed, c)
	if err == nil {
		return nil
	}
	// A few signers don't normalise paths that hold an ARN with empty parts.
	var e *sigv4.Error
	if errors.As(err, &e) && e.Reason == sigv4.Mismatch {
		c.Path = sigv4.AsSent
		if r.signature.Verify(&r.signed, c) == nil {
			return nil
		}
	}
	return signatureError(r, err)
}

func tokenMatches(cred *Credential, token string) bool {
	if cred.TokenHash == nil {
		return token == ""
	}
	sum := sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(sum[:], cred.TokenHash) == 1
}

// IsRegion tells what may be a region, AWS's or one of somebody's own making. A
// region is a part of ARNs, which policies are matched with: with a colon in it, what
// an account has would be taken for what another one has.
func IsRegion(name string) bool {
	for i := range len(name) {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return name != "" && len(name) <= 64
}

func isAccount(key string) bool {
	if len(key) != 12 {
		return false
	}
	for i := range len(key) {
		if key[i] < '0' || key[i] > '9' {
			return false
		}
	}
	return true
}

// authError words a refusal: awsQuery and the JSON protocols have each a code
// of their own, and encodeError picks the one.
func authError(queryCode, code, message string) *Error {
	return &Error{Code: code, QueryCode: queryCode, Status: http.StatusForbidden, Message: message}
}

func missingToken(r *request) error {
	if p := r.route.protocol(); p == AWSQuery || p == RestXML {
		return authError("MissingAuthenticationToken", "MissingAuthenticationTokenException", "Request is missing Authentication Token")
	}
	return authError("MissingAuthenticationToken", "MissingAuthenticationTokenException", "Missing Authentication Token")
}

func invalidToken() error {
	return authError("InvalidClientTokenId", "UnrecognizedClientException", "The security token included in the request is invalid.")
}

// signatureError words what sigv4 found.
func signatureError(r *request, err error) error {
	var e *sigv4.Error
	if !errors.As(err, &e) {
		return internalFailure(err)
	}
	switch e.Reason {
	case sigv4.Missing:
		return missingToken(r)
	case sigv4.Incomplete:
		return &Error{Code: "IncompleteSignatureException", QueryCode: "IncompleteSignature", Status: http.StatusBadRequest, Message: e.Message}
	case sigv4.PresignExpired:
		return authError("RequestExpired", "InvalidSignatureException", e.Message)
	}
	return authError("SignatureDoesNotMatch", "InvalidSignatureException", e.Message)
}
