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
func Parse(r *Request) (*Signature, error) { return parse(r, false) }

// ParseAny is Parse that reads signatures of version 4a, too.
func ParseAny(r *Request) (*Signature, error) { return parse(r, true) }

func parse(r *Request, asymmetricToo bool) (*Signature, error) {
	auth, signed := r.header("authorization")
	// A presigned request names its algorithm in the query; the cheap test
	// spares every other query from being taken apart.
	if hasAlgorithm(r.Query) {
		if signed && strings.HasPrefix(auth, "AWS4-") {
			return nil, incomplete("Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified")
		}
		return parsePresigned(r, asymmetricToo)
	}
	if !signed || auth == "" {
		return nil, missing()
	}
	return parseHeader(r, auth, asymmetricToo)
}

func missing() error { return &Error{Reason: Missing, Message: "Missing Authentication Token"} }

// hasAlgorithm tells whether a query has the parameter X-Amz-Algorithm.
func hasAlgorithm(query string) bool {
	const name = "X-Amz-Algorithm="
	for {
		i := strings.Index(query, name)
		if i <= 0 {
			return i == 0
		}
		if query[i-1] == '&' {
			return true
		}
		query = query[i+len(name):]
	}
}

// cutAlgorithm returns what follows the algorithm in an Authorization header.
func cutAlgorithm(auth, algorithm string) (string, bool) {
	rest, ok := strings.CutPrefix(auth, algorithm)
	return rest, ok && (rest == "" || rest[0] == ' ' || rest[0] == '\t')
}

func parseHeader(r *Request, auth string, asymmetricToo bool) (*Signature, error) {
	if len(auth) > maxAuthorization {
		return nil, incomplete("Authorization header is too long")
	}
	s := &Signature{}
	rest, ok := cutAlgorithm(auth, algorithm)
	if !ok && asymmetricToo {
		rest, ok = cutAlgorithm(auth, asymmetric)
		s.Asymmetric = ok
	}
	if !ok {
		return nil, missing()
	}
	date, _ := r.header("x-amz-date")
	if date == "" {
		date, _ = r.header("date")
	}
	p := readParameters(rest)
	if text := p.wrong(strings.Trim(auth, " \t"), date != ""); text != "" {
		return nil, incomplete(text)
	}
	if p.twice || len(r.Header("authorization")) > 1 {
		return nil, incomplete("Authorization header must have each parameter once.")
	}
	s.signature = p.signature
	if s.Asymmetric {
		s.Regions, _ = r.header("x-amz-region-set")
	}
	s.Token, _ = r.header("x-amz-security-token")
	return s, s.fill(date, p.credential, p.headers)
}

// fill reads the parts that both forms have.
func (s *Signature) fill(date, credential, headers string) error {
	if err := s.setTime(date); err != nil {
		return err
	}
	if err := s.setCredential(credential); err != nil {
		return err
	}
	return s.setHeaders(headers)
}

// presigned are the parameters of a presigned request.
type presigned struct {
	algorithm, credential, date, expires, headers, signature, token, regions string
}

// of is where a parameter goes; nil for one that doesn't concern signatures.
func (p *presigned) of(name string) *string {
	switch name {
	case "X-Amz-Algorithm":
		return &p.algorithm
	case "X-Amz-Credential":
		return &p.credential
	case "X-Amz-Date":
		return &p.date
	case "X-Amz-Expires":
		return &p.expires
	case "X-Amz-SignedHeaders":
		return &p.headers
	case "X-Amz-Signature":
		return &p.signature
	case "X-Amz-Security-Token":
		return &p.token
	case "X-Amz-Region-Set":
		return &p.regions
	}
	return nil
}

func readPresigned(query string) (p presigned, err error) {
	if strings.Count(query, "&") >= maxQueryParams {
		return p, incomplete("too many query parameters")
	}
	for pair := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		to := p.of(key)
		if to == nil {
			continue
		}
		v, err := url.QueryUnescape(value)
		if err != nil {
			return p, incomplete("query parameter " + key + " isn't well encoded")
		}
		if *to != "" {
			return p, incomplete("query parameter " + key + " is given twice")
		}
		*to = v
	}
	return p, nil
}

func parsePresigned(r *Request, asymmetricToo bool) (*Signature, error) {
	p, err := readPresigned(r.Query)
	if err != nil {
		return nil, err
	}
	s := &Signature{Presigned: true, Expires: MaxSkew, signature: p.signature, Token: p.token}
	switch {
	case p.algorithm == algorithm:
	case p.algorithm == asymmetric && asymmetricToo:
		s.Asymmetric, s.Regions = true, p.regions
	default:
		return nil, incomplete("Unsupported AWS 'algorithm': '" + p.algorithm + "'")
	}
	absent := ""
	for _, each := range [...]struct{ name, value string }{
		{"X-Amz-Credential", p.credential}, {"X-Amz-Signature", p.signature}, {"X-Amz-SignedHeaders", p.headers}, {"X-Amz-Date", p.date},
	} {
		if each.value == "" {
			absent += "AWS query-string parameters must include '" + each.name + "'. "
		}
	}
	if absent != "" {
		return nil, incomplete(absent + "Re-examine the query-string parameters.")
	}
	if p.expires != "" {
		seconds, err := strconv.Atoi(p.expires)
		if err != nil || seconds < 0 {
			return nil, incomplete("X-Amz-Expires should be a number")
		}
		if seconds > int(MaxExpires/time.Second) {
			return nil, incomplete("X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds")
		}
		s.Expires = time.Duration(seconds) * time.Second
	}
	return s, s.fill(p.date, p.credential, p.headers)
}

func (s *Signature) setTime(text string) error {
	t, err := time.Parse(timeFormat, text)
	if err == nil && len(text) == len(timeFormat) {
		s.Time, s.timestamp = t, text
		return nil
	}
	// The Date header may carry the signing time in HTTP's own form.
	if t, err = time.Parse("Mon, 02 Jan 2006 15:04:05 MST", text); err != nil {
		return incomplete("Date must be in ISO-8601 'basic format'. Got '" + text + "'. See http://en.wikipedia.org/wiki/ISO_8601")
	}
	s.Time = t.UTC()
	s.timestamp = s.Time.Format(timeFormat)
	return nil
}

// cutLast cuts text at its last slash.
func cutLast(text string) (before, after string, ok bool) {
	i := strings.LastIndexByte(text, '/')
	if i < 0 {
		return "", text, false
	}
	return text[:i], text[i+1:], true
}

func (s *Signature) setCredential(text string) error {
	// An access key id may itself hold slashes: the scope is the last parts.
	rest, end, ok := cutLast(text)
	rest, service, ok2 := cutLast(rest)
	region, ok3 := "", true
	if !s.Asymmetric {
		rest, region, ok3 = cutLast(rest)
	}
	key, date, ok4 := cutLast(rest)
	if !ok || !ok2 || !ok3 || !ok4 || key == "" {
		if s.Asymmetric {
			return incomplete("Credential must have at least 4 slash-delimited elements, e.g. keyid/date/service/term, got '" + text + "'")
		}
		return incomplete("Credential must have at least 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '" + text + "'")
	}
	s.AccessKeyID = key
	s.Scope = Scope{Date: date, Region: region, Service: service}
	if end != terminator {
		return &Error{Reason: WrongScope, Message: "Credential should be scoped with a valid terminator: '" + terminator + "', not '" + end + "'."}
	}
	if region == "" && !s.Asymmetric {
		return &Error{Reason: WrongScope, Message: "Credential should be scoped to a valid region. "}
	}
	if day := s.timestamp[:len(dateFormat)]; date != day {
		return &Error{Reason: WrongScope, Message: "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '" +
			date + "' != '" + day + "', from '" + s.timestamp + "'."}
	}
	return nil
}

func (s *Signature) setHeaders(text string) error {
	if strings.Count(text, ";") >= maxSignedHeaders {
		return incomplete("too many signed headers")
	}
	names := strings.Split(strings.ToLower(text), ";")
	if !slices.IsSorted(names) {
		slices.Sort(names)
	}
	if names[0] == "" {
		return incomplete("SignedHeaders must name each header once, got '" + text + "'")
	}
	for i := 1; i < len(names); i++ {
		if names[i] == names[i-1] {
			return incomplete("SignedHeaders must name each header once, got '" + text + "'")
		}
	}
	s.SignedHeaders = names
	return nil
}

// Signs tells whether a header, in lower case, is among those that are signed.
func (s *Signature) Signs(name string) bool {
	_, ok := slices.BinarySearch(s.SignedHeaders, name)
	return ok
}

// checkHeaders refuses a signature that leaves out what must be signed: the
// host and, in the header form, the date and the set of regions.
func (s *Signature) checkHeaders(r *Request) error {
	if !s.Signs("host") {
		return unsignedHeader("Host")
	}
	if s.Presigned {
		return nil
	}
	if _, ok := r.header("x-amz-date"); ok {
		if !s.Signs("x-amz-date") {
			return unsignedHeader("X-Amz-Date")
		}
	} else if !s.Signs("date") {
		return unsignedHeader("Date")
	}
	if s.Asymmetric && !s.Signs("x-amz-region-set") {
		return unsignedHeader("X-Amz-Region-Set")
	}
	return nil
}

func unsignedHeader(name string) error {
	return &Error{Reason: Mismatch, Message: "'" + name + "' must be a 'SignedHeader' in the AWS Authorization."}
}
