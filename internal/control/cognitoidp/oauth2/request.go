package oauth2

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/control/cognitoidp"
)

// maxQuery bounds the parameters of a request for authorization. They travel
// along through all pages.
const maxQuery = 8 << 10

// A request is a client's request for authorization, which was found good.
type request struct {
	client      *cognitoidp.Client
	redirectURI string
	// implicit asks for tokens in place of a code.
	implicit                bool
	scopes                  []string
	state, nonce, challenge string
	prompt                  []string
	loginHint               string
	// query are all parameters, as pages carry them on.
	query string
}

// A refusal is why a request isn't good. Without a redirect URI that is the
// client's, it is shown and never sent anywhere.
type refusal struct {
	code, description string
	// redirect is where the client gets to know, "" to show it.
	redirect string
}

func shown(code, description string) *refusal { return &refusal{code: code, description: description} }

// s256 is what a SHA-256 sum is in base64url.
var s256 = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// request reads the parameters of /oauth2/authorize and /login.
func (v *visitor) request() (*request, *refusal, error) {
	if len(v.r.URL.RawQuery) > maxQuery {
		return nil, shown("invalid_request", "The parameters are too long."), nil
	}
	q, err := url.ParseQuery(v.r.URL.RawQuery)
	if err != nil {
		return nil, shown("invalid_request", "The parameters can't be read."), nil
	}
	out, no := v.addressee(q)
	if no != nil {
		return nil, no, nil
	}
	// From here on the client gets to know of errors.
	out.state = q.Get("state")
	out.implicit = q.Get("response_type") == "token"
	live, err := v.pools.LiveScopes(v.call, v.pool, out.client)
	if err != nil {
		return nil, nil, err
	}
	if code, description := out.read(q, live); code != "" {
		return nil, &refusal{code, description, out.failed(code, description)}, nil
	}
	out.query = strings.ReplaceAll(q.Encode(), "+", "%20") // HTML would have to escape the sign
	return out, nil, nil
}

// addressee reads who asks and where the answer would go.
func (v *visitor) addressee(q url.Values) (*request, *refusal) {
	if len(q["client_id"]) > 1 || len(q["redirect_uri"]) > 1 {
		return nil, shown("invalid_request", "A parameter is given twice.")
	}
	cl, p, ok := v.directory.Client(q.Get("client_id"))
	if !ok || p.ID != v.pool.ID {
		return nil, shown("invalid_client", "This user pool has no app client with the client_id.")
	}
	uri := q.Get("redirect_uri")
	if uri == "" {
		uri = value(cl.Settings.DefaultRedirectURI)
	}
	// The whole text counts: a URI that merely means the same, or begins alike,
	// isn't the client's.
	if !slices.Contains(cl.Settings.CallbackURLs, uri) || !redirectable(uri) {
		return nil, shown("redirect_mismatch", "The redirect_uri isn't one of the app client's callback URLs.")
	}
	return &request{client: cl, redirectURI: uri}, nil
}

// redirectable tells whether a browser may be sent to a URI. A scheme of an app
// of its own is as good as https.
func redirectable(uri string) bool {
	u, err := url.Parse(uri)
	if err != nil || u.Fragment != "" || strings.ContainsRune(uri, '#') {
		return false
	}
	switch u.Scheme {
	case "", "javascript", "data", "vbscript", "blob", "file", "about", "view-source", "filesystem":
		return false
	}
	return true
}

// read reads everything but who asks.
func (q *request) read(form url.Values, live []string) (code, description string) {
	for name, values := range form {
		if len(values) > 1 {
			return "invalid_request", name + " is given twice"
		}
	}
	flow := api.OAuthFlowTypeCode
	switch form.Get("response_type") {
	case "code":
	case "token":
		flow = api.OAuthFlowTypeImplicit
	case "":
		return "invalid_request", "response_type is missing"
	default:
		return "unsupported_response_type", "" // UNVERIFIED
	}
	settings := q.client.Settings
	if !value(settings.AllowedOAuthFlowsUserPoolClient) || !slices.Contains(settings.AllowedOAuthFlows, flow) {
		return "unauthorized_client", ""
	}
	// Without PKCE is fine, as on AWS; with the method "plain", which is also what
	// leaving it out means, it isn't.
	q.challenge = form.Get("code_challenge")
	_, named := form["code_challenge_method"]
	switch method := form.Get("code_challenge_method"); {
	case (q.challenge != "" || named) && method != "S256":
		return "invalid_request", "code_challenge_method must be S256"
	case named && !s256.MatchString(q.challenge):
		return "invalid_request", "code_challenge isn't a SHA-256 sum in base64url"
	}
	if provider := form.Get("identity_provider"); provider != "" && provider != "COGNITO" || form.Get("idp_identifier") != "" {
		return "invalid_request", "this gateway has no identity provider but COGNITO"
	}
	q.nonce, q.loginHint, q.prompt = form.Get("nonce"), form.Get("login_hint"), strings.Fields(form.Get("prompt"))
	if slices.Contains(q.prompt, "none") && len(q.prompt) > 1 {
		return "invalid_request", "prompt has none beside others"
	}
	var ok bool
	if q.scopes, ok = chosen(form.Get("scope"), live); !ok {
		return "invalid_scope", ""
	}
	return "", ""
}

// chosen are the scopes that are asked for, all live ones where none are; ok is
// false when one of them isn't the client's to ask for.
func chosen(asked string, live []string) (scopes []string, ok bool) {
	for name := range strings.FieldsSeq(asked) {
		if !slices.Contains(live, name) {
			return nil, false
		}
		if !slices.Contains(scopes, name) {
			scopes = append(scopes, name)
		}
	}
	if len(scopes) == 0 {
		return live, true
	}
	return scopes, true
}

// failed is where a browser goes with an error.
func (q *request) failed(code, description string) string {
	params := url.Values{"error": {code}}
	if description != "" {
		params.Set("error_description", description)
	}
	return q.location(params)
}

// location is the redirect URI with the answer: in its query, or behind "#" where
// the answer is for the page alone.
func (q *request) location(params url.Values) string {
	if q.state != "" {
		params.Set("state", q.state)
	}
	uri, mark := ascii(q.redirectURI), "?"
	switch {
	case q.implicit:
		mark = "#"
	case strings.HasSuffix(uri, "?"):
		mark = ""
	case strings.Contains(uri, "?"):
		mark = "&"
	}
	return uri + mark + params.Encode()
}

// ascii escapes what a header can't carry.
func ascii(uri string) string {
	var b strings.Builder
	const hex = "0123456789ABCDEF"
	for i := range len(uri) {
		c := uri[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}
