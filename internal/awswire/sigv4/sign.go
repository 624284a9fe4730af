package sigv4

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Keys are what a request is signed with.
type Keys struct {
	AccessKeyID, Secret string
	// Token is the session token. It must stand in the request's
	// X-Amz-Security-Token header before Authorization is called.
	Token string
}

// Authorization makes the Authorization header of a request. The request must
// already carry X-Amz-Date, set to at; headers are the names to sign, to which
// host and x-amz-date are added.
func Authorization(r *Request, keys Keys, region, service string, at time.Time, headers []string, c Check) string {
	s := newSignature(keys, region, service, at, append(slices.Clone(headers), "host", "x-amz-date"))
	return algorithm + " Credential=" + keys.AccessKeyID + "/" + s.Scope.String() +
		", SignedHeaders=" + strings.Join(s.SignedHeaders, ";") +
		", Signature=" + s.sign(r, keys.Secret, c)
}

// Presign makes the query of a presigned request out of r.Query.
func Presign(r *Request, keys Keys, region, service string, at time.Time, expires time.Duration, c Check) string {
	s := newSignature(keys, region, service, at, []string{"host"})
	s.Presigned = true
	q := []byte(r.Query)
	if len(q) > 0 {
		q = append(q, '&')
	}
	q = append(q, "X-Amz-Algorithm="+algorithm+"&X-Amz-Credential="...)
	q = escape(q, keys.AccessKeyID+"/"+s.Scope.String(), false)
	q = append(q, "&X-Amz-Date="+s.timestamp+"&X-Amz-Expires="+strconv.Itoa(int(expires/time.Second))+"&X-Amz-SignedHeaders=host"...)
	if keys.Token != "" {
		q = append(q, "&X-Amz-Security-Token="...)
		q = escape(q, keys.Token, false)
	}
	signed := *r
	signed.Query = string(q)
	return signed.Query + "&X-Amz-Signature=" + s.sign(&signed, keys.Secret, c)
}

// sign makes the signature of a request.
func (s *Signature) sign(r *Request, secret string, c Check) string {
	w := &workspace{}
	s.canonical(w, r, c)
	s.stringToSign(w)
	return hex.EncodeToString(mac(SigningKey(secret, s.Scope), string(w.text)))
}

func newSignature(keys Keys, region, service string, at time.Time, headers []string) *Signature {
	at = at.UTC()
	slices.Sort(headers)
	return &Signature{
		AccessKeyID:   keys.AccessKeyID,
		Scope:         Scope{Date: at.Format(dateFormat), Region: region, Service: service},
		SignedHeaders: slices.Compact(headers),
		Time:          at,
		timestamp:     at.Format(timeFormat),
	}
}
