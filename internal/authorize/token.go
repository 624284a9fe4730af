package authorize

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxToken is the longest token that is read, in bytes. It is more than the
// header of a request holds, and bounds what one costs.
const maxToken = 16 << 10

// A token is a JSON Web Token in compact form, taken apart. Nothing of it is
// verified.
type token struct {
	algorithm, keyID string
	// critical tells that the header asks for something to be understood.
	critical bool
	// signed is what the signature is of.
	signed    []byte
	signature []byte
	claims    claims
}

// claims are the claims of a token in its order. Of a claim that is there more
// than once the last one counts.
type claims struct {
	names  []string
	values map[string]json.RawMessage
}

// knownAlgorithms are those that AWS's library knows; of others it says that
// they aren't there.
var knownAlgorithms = [...]string{
	"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA", "none",
}

// readToken takes a token apart. Its errors are AWS's, as far as they are known:
// AWS answers with the words of github.com/dgrijalva/jwt-go.
func readToken(text string) (*token, error) {
	if len(text) > maxToken {
		return nil, fmt.Errorf("the token is longer than %d bytes", maxToken)
	}
	if strings.Count(text, ".") != 2 {
		return nil, errors.New("token contains an invalid number of segments")
	}
	end := strings.LastIndexByte(text, '.')
	first, second, _ := strings.Cut(text[:end], ".")
	t := &token{signed: []byte(text[:end])}
	header, err := readObject(first)
	if err != nil {
		return nil, err
	}
	if t.claims, err = readObject(second); err != nil {
		return nil, err
	}
	if err := t.readHeader(header); err != nil {
		return nil, err
	}
	t.signature, err = decodeSegment(text[end+1:])
	return t, err
}

// readHeader reads what the header says of the signature. Where a key is to be
// found (jku, jwk, x5u, x5c) isn't asked: only the issuer's keys count.
func (t *token) readHeader(header claims) error {
	algorithm, ok := header.text("alg")
	switch {
	case !ok:
		return errors.New("signing method (alg) is unspecified.")
	case !slices.Contains(knownAlgorithms[:], algorithm):
		return errors.New("signing method (alg) is unavailable.")
	}
	t.algorithm = algorithm
	t.keyID, _ = header.text("kid")
	_, t.critical = header.values["crit"]
	return nil
}

func decodeSegment(text string) ([]byte, error) {
	// The decoder would skip line ends, and two texts be one token.
	if i := strings.IndexAny(text, "\r\n"); i >= 0 {
		return nil, base64.CorruptInputError(i)
	}
	return base64.RawURLEncoding.DecodeString(text)
}

// readObject reads a segment that is a JSON object.
func readObject(segment string) (claims, error) {
	text, err := decodeSegment(segment)
	if err != nil {
		return claims{}, err
	}
	var c claims
	if err := json.Unmarshal(text, &c.values); err != nil {
		return claims{}, err
	}
	c.names, err = namesOf(text)
	return c, err
}

// namesOf returns the names of the members of a JSON object in their order, each
// once.
func namesOf(object []byte) ([]string, error) {
	d := json.NewDecoder(bytes.NewReader(object))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	var names []string
	seen := map[string]bool{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		text, _ := name.(string)
		if !seen[text] {
			seen[text] = true
			names = append(names, text)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
	}
	return names, nil
}

// text returns a claim that is a string.
func (c *claims) text(name string) (value string, ok bool) {
	raw, ok := c.values[name]
	if !ok || len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	err := json.Unmarshal(raw, &value)
	return value, err == nil
}

// texts returns a claim that is a string or a list of strings; present tells that
// the claim is there, whatever it is.
func (c *claims) texts(name string) (values []string, present bool) {
	raw, present := c.values[name]
	if !present {
		return nil, false
	}
	if one, ok := c.text(name); ok {
		return []string{one}, true
	}
	if json.Unmarshal(raw, &values) != nil {
		return nil, true
	}
	return values, true
}

// seconds returns a claim that is a time in seconds since 1970; ok is false for
// one that is there and isn't a number.
func (c *claims) seconds(name string) (value float64, present, ok bool) {
	raw, present := c.values[name]
	if !present {
		return 0, false, true
	}
	value, err := strconv.ParseFloat(string(raw), 64)
	return value, true, err == nil
}

// scopes are those of the claims scope and scp, each a list or a text with spaces.
func (c *claims) scopes() []string {
	var scopes []string
	for _, name := range [...]string{"scope", "scp"} {
		values, _ := c.texts(name)
		for _, v := range values {
			scopes = append(scopes, strings.Fields(v)...)
		}
	}
	return scopes
}

// A claimError says which claim is wrong in words for the client.
type claimError string

func (e claimError) Error() string { return string(e) }

// What is wrong with a token's times.
const (
	// UNVERIFIED: the words, but for those of expiry; that a token without exp is
	// refused, and that there is no leeway, as AWS documents none.
	errNoExpiry    claimError = "the token has no expiration time"
	errExpired     claimError = "the token has expired"
	errNotYetValid claimError = "the token is not valid yet"
	errFromFuture  claimError = "the token was issued in the future"
	errNotATime    claimError = "a time of the token is not a number"
)

// lastSecond is the last one that time.Duration's nanoseconds reach.
const lastSecond = 9_000_000_000

// checkTimes checks exp, nbf and iat, and returns when the token expires.
func (c *claims) checkTimes(now time.Time) (expires time.Time, err error) {
	at := float64(now.UnixNano()) / 1e9
	exp, present, ok := c.seconds("exp")
	switch {
	case !ok:
		return time.Time{}, errNotATime
	case !present:
		return time.Time{}, errNoExpiry
	case at >= exp:
		return time.Time{}, errExpired
	}
	for _, limit := range [...]struct {
		name string
		err  error
	}{{"nbf", errNotYetValid}, {"iat", errFromFuture}} {
		after, present, ok := c.seconds(limit.name)
		switch {
		case !ok:
			return time.Time{}, errNotATime
		case present && at < after:
			return time.Time{}, limit.err
		}
	}
	return time.Unix(0, int64(min(exp, lastSecond)*1e9)), nil
}
