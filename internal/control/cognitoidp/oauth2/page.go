package oauth2

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"regexp"

	"gatehouse/internal/awswire"
)

// A form is what a page shows.
type form struct {
	Title string
	// Client is the name of the app client.
	Client string
	// Error is what went wrong, Notice what is to be known.
	Error, Notice string
	// Action is where the form goes; "" shows none.
	Action template.URL
	Token  string
	Fields []field
	Button string
	Links  []link
	// Style is every page's.
	Style template.CSS
}

type field struct {
	Name, Label, Type, Value, Complete string
}

type link struct {
	Text string
	URL  template.URL
}

const style = `body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#f3f4f6;color:#1f2933}
main{max-width:22rem;margin:10vh auto;padding:2rem;background:#fff;border:1px solid #d6dae0;border-radius:6px}
h1{font-size:1.3rem;margin:0 0 .3rem}p{margin:.3rem 0 1rem}label{display:block;margin:.8rem 0 .2rem}
input{box-sizing:border-box;width:100%;font:inherit;padding:.5rem;border:1px solid #9aa5b1;border-radius:4px}
button{width:100%;font:inherit;margin-top:1.2rem;padding:.6rem;border:0;border-radius:4px;background:#1d4ed8;color:#fff}
.error{color:#b42318}ul{list-style:none;margin:1.2rem 0 0;padding:0}`

var pageText = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{{.Title}}</title>
<style>{{.Style}}</style>
</head>
<body>
<main>
<h1>{{.Title}}</h1>
{{with .Client}}<p>{{.}}</p>
{{end}}{{with .Error}}<p class="error" role="alert">{{.}}</p>
{{end}}{{with .Notice}}<p>{{.}}</p>
{{end}}{{if .Action}}<form method="post" action="{{.Action}}">
<input type="hidden" name="_csrf" value="{{.Token}}">
{{range .Fields}}{{if eq .Type "hidden"}}<input type="hidden" name="{{.Name}}" value="{{.Value}}">
{{else}}<label for="{{.Name}}">{{.Label}}</label>
<input id="{{.Name}}" name="{{.Name}}" type="{{.Type}}" value="{{.Value}}" autocomplete="{{.Complete}}" autocapitalize="none" required>
{{end}}{{end}}<button type="submit">{{.Button}}</button>
</form>
{{end}}{{with .Links}}<ul>
{{range .}}<li><a href="{{.URL}}">{{.Text}}</a></li>
{{end}}</ul>
{{end}}</main>
</body>
</html>
`))

var styleHash = func() string {
	sum := sha256.Sum256([]byte(style))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}()

var plainHost = regexp.MustCompile(`^[A-Za-z0-9.-]+(:[0-9]{1,5})?$`)

// formTarget is the redirect URI as a source of a content security policy.
// Browsers hold what a form's answer redirects to against form-action, too.
func formTarget(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	if (u.Scheme == "http" || u.Scheme == "https") && plainHost.MatchString(u.Host) {
		return " " + u.Scheme + "://" + u.Host
	}
	return " " + u.Scheme + ":" // url.Parse lets nothing else but letters, digits and +-. into it
}

// show writes a page. q is nil where there is no request.
func (v *visitor) show(status int, q *request, f form) {
	target := ""
	if q != nil {
		f.Client = value(q.client.Settings.ClientName)
		f.Token = v.formToken()
		target = formTarget(q.redirectURI)
	}
	f.Style = style
	var page bytes.Buffer
	if err := pageText.Execute(&page, f); err != nil {
		panic(errors.Join(errors.New("oauth2: a page doesn't render"), err))
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src "+styleHash+"; form-action 'self'"+target+"; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	// Another policy would have browsers say of our own forms that they come from
	// nowhere.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	v.w.WriteHeader(status)
	_, _ = v.w.Write(page.Bytes()) // the client has gone
}

// shown writes a page that says what is wrong.
func (v *visitor) shown(status int, message string) {
	v.show(status, nil, form{Title: "This didn't work", Error: message})
}

// broken answers a failure of the gateway's own.
func (v *visitor) broken(err error) {
	v.log.Error("a user pool's page failed", "pool", v.pool.ID, "path", v.r.URL.Path, "error", err)
	v.shown(http.StatusInternalServerError, "Something went wrong here. Please try again.")
}

// told is an error that the caller is told of.
func told(err error) (code, message string, ok bool) {
	var e *awswire.Error
	if !errors.As(err, &e) {
		return "", "", false
	}
	return e.Code, e.Message, true
}
