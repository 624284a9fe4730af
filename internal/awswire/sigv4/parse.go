package sigv4

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Parse reads the signature of a request without checking it. A request that
// has none gets an *Error with Reason Missing.
func Parse(r *Request) (*Signature, error) {
	auth, signed := r.header("authorization")
	// A presigned request names its algorithm in the query; the cheap test
	// spares every other query from being taken apart.
	if strings.Contains(r.Query, "X-Amz-Algorithm=") {
		if signed && strings.HasPrefix(auth, algorithm) {
			return nil, incomplete("Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified")
		}
		return parsePresigned(r)
	}
	if !signed || auth == "" {
		return nil, &Error{Missing, "Missing Authentication Token"}
	}
	return parseHeader(r, auth)
}

func parseHeader(r *Request, auth string) (*Signature, error) {
	if len(auth) > maxAuthorization {
		return nil, incomplete("Authorization header is too long")
	}
	rest, ok := strings.CutPrefix(auth, algorithm)
	if !ok || rest != "" && rest[0] != ' ' && rest[0] != '\t' {
		return nil, &Error{Missing, "Missing Authentication Token"}
	}
	var credential, headers, signature string
	for part := range strings.SplitSeq(rest, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		key, value, ok := strings.Cut(part, "=")
		if !ok {
			return nil, incomplete("'" + part + "' not a valid key=value pair (missing equal-sign) in Authorization header: '" + auth + "'.")
		}
		switch key {
		case "Credential":
			credential = value
		case "SignedHeaders":
			headers = value
		case "Signature":
			signature = value
		}
	}
	date, _ := r.header("x-amz-date")
	if date == "" {
		date, _ = r.header("date")
	}
	var missing strings.Builder
	for _, p := range []struct{ name, value string }{{"Credential", credential}, {"Signature", signature}, {"SignedHeaders", headers}} {
		if p.value == "" {
			missing.WriteString("Authorization header requires '" + p.name + "' parameter. ")
		}
	}
	if date == "" {
		missing.WriteString("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ")
	}
	if missing.Len() > 0 {
		return nil, incomplete(missing.String() + "Authorization=" + algorithm)
	}
	s := &Signature{signature: signature}
	if err := s.setTime(date); err != nil {
		return nil, err
	}
	if err := s.setCredential(credential); err != nil {
		return nil, err
	}
	if err := s.setHeaders(headers); err != nil {
		return nil, err
	}
	s.Token, _ = r.header("x-amz-security-token")
	return s, s.checkHeaders(r)
}

func parsePresigned(r *Request) (*Signature, error) {
	if strings.Count(r.Query, "&") >= maxQueryParams {
		return nil, incomplete("too many query parameters")
	}
	p := map[string]string{}
	for pair := range strings.SplitSeq(r.Query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(key, "X-Amz-") {
			continue
		}
		v, err := url.QueryUnescape(value)
		if err != nil {
			return nil, incomplete("query parameter " + key + " isn't well encoded")
		}
		if _, twice := p[key]; twice {
			return nil, incomplete("query parameter " + key + " is given twice")
		}
		p[key] = v
	}
	if p["X-Amz-Algorithm"] != algorithm {
		return nil, incomplete("Unsupported AWS 'algorithm': '" + p["X-Amz-Algorithm"] + "'")
	}
	var missing strings.Builder
	for _, name := range []string{"X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date"} {
		if p[name] == "" {
			missing.WriteString("AWS query-string parameters must include '" + name + "'. ")
		}
	}
	if missing.Len() > 0 {
		return nil, incomplete(missing.String() + "Re-examine the query-string parameters.")
	}
	s := &Signature{Presigned: true, signature: p["X-Amz-Signature"], Token: p["X-Amz-Security-Token"], Expires: MaxSkew}
	if text := p["X-Amz-Expires"]; text != "" {
		seconds, err := strconv.Atoi(text)
		if err != nil || seconds < 0 {
			return nil, incomplete("X-Amz-Expires should be a number")
		}
		if seconds > int(MaxExpires/time.Second) {
			return nil, incomplete("X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds")
		}
		s.Expires = time.Duration(seconds) * time.Second
	}
	if err := s.setTime(p["X-Amz-Date"]); err != nil {
		return nil, err
	}
	if err := s.setCredential(p["X-Amz-Credential"]); err != nil {
		return nil, err
	}
	if err := s.setHeaders(p["X-Amz-SignedHeaders"]); err != nil {
		return nil, err
	}
	return s, s.checkHeaders(r)
}

func (s *Signature) setTime(text string) error {
	t, err := time.Parse(timeFormat, text)
	if err != nil {
		// The Date header may carry the signing time in HTTP's own form.
		if t, err = time.Parse("Mon, 02 Jan 2006 15:04:05 MST", text); err != nil {
			return incomplete("Date must be in ISO-8601 'basic format'. Got '" + text + "'. See http://en.wikipedia.org/wiki/ISO_8601")
		}
	}
	s.Time = t.UTC()
	s.timestamp = s.Time.Format(timeFormat)
	return nil
}

func (s *Signature) setCredential(text string) error {
	// An access key id may itself hold slashes: the scope is the last four parts.
	parts := strings.Split(text, "/")
	if len(parts) < 5 {
		return incomplete("Credential must have at least 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '" + text + "'")
	}
	n := len(parts)
	s.AccessKeyID = strings.Join(parts[:n-4], "/")
	s.Scope = Scope{Date: parts[n-4], Region: parts[n-3], Service: parts[n-2]}
	if s.AccessKeyID == "" {
		return incomplete("Credential must have at least 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '" + text + "'")
	}
	if parts[n-1] != terminator {
		return &Error{WrongScope, "Credential should be scoped with a valid terminator: '" + terminator + "', not '" + parts[n-1] + "'."}
	}
	if s.Scope.Region == "" {
		return &Error{WrongScope, "Credential should be scoped to a valid region. "}
	}
	if day := s.Time.Format(dateFormat); s.Scope.Date != day {
		return &Error{WrongScope, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '" +
			s.Scope.Date + "' != '" + day + "', from '" + s.timestamp + "'."}
	}
	return nil
}

func (s *Signature) setHeaders(text string) error {
	names := strings.Split(strings.ToLower(text), ";")
	if len(names) > maxSignedHeaders {
		return incomplete("too many signed headers")
	}
	if !slices.IsSorted(names) {
		slices.Sort(names)
	}
	if names[0] == "" || len(slices.Compact(slices.Clone(names))) != len(names) {
		return incomplete("SignedHeaders must name each header once, got '" + text + "'")
	}
	s.SignedHeaders = names
	return nil
}

// checkHeaders refuses a signature that leaves out what must be signed: the
// host and, in the header form, the date.
func (s *Signature) checkHeaders(r *Request) error {
	must := []string{"host"}
	if !s.Presigned {
		if _, ok := r.header("x-amz-date"); ok {
			must = append(must, "x-amz-date")
		} else {
			must = append(must, "date")
		}
	}
	for _, name := range must {
		if _, ok := slices.BinarySearch(s.SignedHeaders, name); !ok {
			return &Error{Mismatch, "'" + canonicalName(name) + "' must be a 'SignedHeader' in the AWS Authorization."}
		}
	}
	return nil
}

// canonicalName spells a header as people do; host and the dates are all it meets.
func canonicalName(name string) string {
	switch name {
	case "x-amz-date":
		return "X-Amz-Date"
	case "date":
		return "Date"
	}
	return "Host"
}
