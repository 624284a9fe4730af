package conformance

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// A Sign is how a request, a handshake or a call is signed with Signature
// Version 4. Without further fields it is signed as AWS's clients do.
type Sign struct {
	// As is whose credentials sign: users.NAME or roles.NAME.
	As string `yaml:"as"`
	// Presigned puts the signature into the query; Expires is how many seconds it
	// holds, 300 by default.
	Presigned bool    `yaml:"presigned"`
	Expires   *string `yaml:"expires"`
	// Key and Secret take the place of the credentials' own, Token that of the
	// session token, where "" is none.
	Key    string  `yaml:"key"`
	Secret string  `yaml:"secret"`
	Token  *string `yaml:"token"`
	// Service, Region and Date are those of the credential scope.
	Service string `yaml:"service"`
	Region  string `yaml:"region"`
	Date    string `yaml:"date"`
	// Skew is how many seconds the time of the signature is ahead of the clock.
	Skew int `yaml:"skew"`
	// DateHeader is the header with the time, X-Amz-Date by default.
	DateHeader string `yaml:"dateHeader"`
	// Payload is signed in place of the body's hash and said in
	// X-Amz-Content-Sha256.
	Payload string `yaml:"payload"`
	// Regions are those that a signature of version 4a holds for, as in
	// "us-east-1,eu-*"; without any it is of version 4.
	Regions string `yaml:"regions"`
	// Chunk sends the body in signed chunks of so many bytes.
	Chunk int `yaml:"chunk"`
	// Unsigned are headers of the request that the signature leaves out.
	Unsigned []string `yaml:"unsigned"`
	// Altered are replacements in what was signed: what doesn't stand there is an
	// error.
	Altered map[string]string `yaml:"altered"`
}

const (
	signingAlgorithm = "AWS4-HMAC-SHA256"
	signingTime      = "20060102T150405Z"
)

// request signs the text of a request that goes to a host.
func (s *Sign) request(text, host, region string, c aws.Credentials, now time.Time) (string, error) {
	text = strings.TrimSuffix(text, "\n")
	head, body, hasBody := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	parts := strings.SplitN(lines[0], " ", 3)
	if len(parts) < 2 {
		return "", fmt.Errorf("%q isn't a request line", lines[0])
	}
	if s.Key != "" {
		c.AccessKeyID = s.Key
	}
	if s.Secret != "" {
		c.SecretAccessKey = s.Secret
	}
	if s.Token != nil {
		c.SessionToken = *s.Token
	}
	v := &signature{Sign: s, credentials: c, method: parts[0], time: now.UTC().Add(time.Duration(s.Skew) * time.Second)}
	v.date = or(s.Date, v.time.Format("20060102"))
	v.scope = strings.Join([]string{v.date, or(s.Region, region), or(s.Service, "execute-api"), "aws4_request"}, "/")
	v.algorithm = signingAlgorithm
	if s.Regions != "" {
		v.algorithm, v.scope = asymmetricAlgorithm, strings.Join([]string{v.date, or(s.Service, "execute-api"), "aws4_request"}, "/")
	}
	v.path, v.query, _ = strings.Cut(parts[1], "?")
	v.headers = fieldsOf(lines[1:])
	if len(valuesOf(v.headers, "host")) == 0 {
		v.headers = append(v.headers, field{"Host", host})
	}
	v.payload = or(s.Payload, hashOf(body))
	if s.Chunk > 0 {
		lines = append(lines, v.announceChunks(len(body))...)
	}
	if s.Presigned {
		parts[1] = v.presign()
		lines[0] = strings.Join(parts, " ")
	} else {
		lines = append(lines, v.sign()...)
	}
	if s.Chunk > 0 {
		body = v.chunks(body)
	}
	if v.failed != nil {
		return "", v.failed
	}
	out := strings.Join(lines, "\n")
	if hasBody {
		out += "\n\n" + body + "\n" // which isn't sent, as of every text
	}
	for _, old := range sortedKeys(s.Altered) {
		if !strings.Contains(out, old) {
			return "", fmt.Errorf("%q isn't in the signed request, which can't be altered so:\n%s", old, out)
		}
		out = strings.ReplaceAll(out, old, s.Altered[old])
	}
	return out, nil
}

// A signature is one while it is made.
type signature struct {
	*Sign
	credentials         aws.Credentials
	time                time.Time
	date, scope         string
	method, path, query string
	headers             []field
	payload             string
	algorithm           string
	// latest is the signature that was made last, failed why one couldn't be.
	latest string
	failed error
}

// sign returns the header lines that sign the request.
func (v *signature) sign() []string {
	at := len(v.headers)
	name, form := "X-Amz-Date", signingTime
	if v.DateHeader != "" {
		name, form = v.DateHeader, "Mon, 02 Jan 2006 15:04:05 GMT"
	}
	v.headers = append(v.headers, field{name, v.time.Format(form)})
	if v.Payload != "" {
		v.headers = append(v.headers, field{"X-Amz-Content-Sha256", v.Payload})
	}
	if v.Regions != "" {
		v.headers = append(v.headers, field{"X-Amz-Region-Set", v.Regions})
	}
	if v.credentials.SessionToken != "" {
		v.headers = append(v.headers, field{"X-Amz-Security-Token", v.credentials.SessionToken})
	}
	signed, text := v.canonical(v.query)
	authorization := fmt.Sprintf("Authorization: %s Credential=%s/%s, SignedHeaders=%s, Signature=%s",
		v.algorithm, v.credentials.AccessKeyID, v.scope, signed, v.of(text))
	var lines []string
	for _, h := range v.headers[at:] {
		lines = append(lines, h.name+": "+h.value)
	}
	return append(lines, authorization)
}

// presign returns the target with the query that signs the request.
func (v *signature) presign() string {
	if v.Payload == "" {
		// As AWS's clients presign for services other than S3: the body's hash.
		v.Payload = v.payload
	}
	v.payload = v.Payload
	signed, _ := v.canonical("")
	expires := "300"
	if v.Expires != nil {
		expires = *v.Expires
	}
	parameters := []string{
		"X-Amz-Algorithm=" + v.algorithm, "X-Amz-Credential=" + escapeURI(v.credentials.AccessKeyID+"/"+v.scope),
		"X-Amz-Date=" + v.time.Format(signingTime), "X-Amz-Expires=" + escapeURI(expires), "X-Amz-SignedHeaders=" + escapeURI(signed),
	}
	if v.Regions != "" {
		parameters = append(parameters, "X-Amz-Region-Set="+escapeURI(v.Regions))
	}
	if v.credentials.SessionToken != "" {
		parameters = append(parameters, "X-Amz-Security-Token="+escapeURI(v.credentials.SessionToken))
	}
	if v.query != "" {
		parameters = append([]string{v.query}, parameters...)
	}
	query := strings.Join(parameters, "&")
	_, text := v.canonical(query)
	return v.path + "?" + query + "&X-Amz-Signature=" + v.of(text)
}

// canonical is the canonical form of the request with a query, and the names
// of the headers that are signed.
func (v *signature) canonical(query string) (signed, text string) {
	values := map[string][]string{}
	for _, h := range v.headers {
		name := strings.ToLower(h.name)
		if !slices.ContainsFunc(v.Unsigned, func(n string) bool { return strings.EqualFold(n, name) }) {
			values[name] = append(values[name], strings.Join(strings.Fields(h.value), " "))
		}
	}
	names := sortedKeys(values)
	signed = strings.Join(names, ";")
	var b strings.Builder
	path := strings.ReplaceAll(escapeURI(v.path), "%2F", "/")
	b.WriteString(v.method + "\n" + or(path, "/") + "\n" + canonicalQuery(query) + "\n")
	for _, name := range names {
		b.WriteString(name + ":" + strings.Join(values[name], ",") + "\n")
	}
	b.WriteString("\n" + signed + "\n" + v.payload)
	return signed, b.String()
}

// of is the signature of a canonical request.
func (v *signature) of(canonical string) string {
	text := v.algorithm + "\n" + v.time.Format(signingTime) + "\n" + v.scope + "\n" + hashOf(canonical)
	if v.Regions == "" {
		v.latest = v.mac(text)
		return v.latest
	}
	var made []byte
	made, v.failed = asymmetric(v.credentials, text)
	v.latest = hex.EncodeToString(made)
	return v.latest
}

// mac is the signature of version 4 of a text.
func (v *signature) mac(text string) string {
	key := []byte("AWS4" + v.credentials.SecretAccessKey)
	for _, part := range append(strings.Split(v.scope, "/"), text) {
		key = hmacSHA256(key, part)
	}
	return hex.EncodeToString(key)
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// announceChunks are the header lines of a body in chunks.
func (v *signature) announceChunks(length int) []string {
	v.Payload = or(v.Payload, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
	v.payload = v.Payload
	added := []field{{"Content-Encoding", "aws-chunked"}, {"X-Amz-Decoded-Content-Length", strconv.Itoa(length)}}
	var lines []string
	for _, h := range added {
		v.headers = append(v.headers, h)
		lines = append(lines, h.name+": "+h.value)
	}
	return lines
}

// chunks is a body in chunks, of which each is signed with the signature before
// it.
func (v *signature) chunks(body string) string {
	var b strings.Builder
	for more := true; more; {
		n := min(v.Chunk, len(body))
		chunk := body[:n]
		body, more = body[n:], n > 0
		v.latest = v.mac(strings.Join([]string{signingAlgorithm + "-PAYLOAD", v.time.Format(signingTime), v.scope, v.latest, hashOf(""), hashOf(chunk)}, "\n"))
		fmt.Fprintf(&b, "%x;chunk-signature=%s\r\n%s\r\n", n, v.latest, chunk)
	}
	return b.String()
}

func hmacSHA256(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// canonicalQuery sorts the parameters of a query in their canonical spelling.
func canonicalQuery(query string) string {
	if query == "" {
		return ""
	}
	var out []string
	for p := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(p, "=")
		out = append(out, escapeURI(unescapeURI(name))+"="+escapeURI(unescapeURI(value)))
	}
	slices.Sort(out)
	return strings.Join(out, "&")
}

// unescapeURI is a text of a query; what can't be is taken as it stands.
func unescapeURI(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}

// escapeURI escapes all but the unreserved characters.
func escapeURI(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}
