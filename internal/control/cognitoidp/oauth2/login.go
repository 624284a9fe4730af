package oauth2

import (
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"gatehouse/internal/control/cognitoidp"
)

// maxForm bounds the body of a form, maxName and maxPassword what is typed into
// it: the API's operations have the same limits.
const (
	maxForm     = 64 << 10
	maxName     = 128
	maxPassword = 256
)

var errForm = errors.New("oauth2: not a form")

// form reads the body.
func (v *visitor) form() (url.Values, error) {
	kind, _, _ := strings.Cut(v.r.Header.Get("Content-Type"), ";")
	if !strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded") {
		return nil, errForm
	}
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, maxForm)
	if err := v.r.ParseForm(); err != nil {
		return nil, errForm
	}
	for _, values := range v.r.PostForm {
		if len(values) > 1 {
			return nil, errForm
		}
	}
	return v.r.PostForm, nil
}

// posted reads a page's form; ok is false when the answer was written. again
// shows the form anew.
func (v *visitor) posted(again func(status int, message string)) (url.Values, bool) {
	form, err := v.form()
	switch {
	case err != nil:
		again(http.StatusBadRequest, "The form couldn't be read.")
	case v.forged(form):
		again(http.StatusForbidden, "The form was too old, or not from this page. Please try again.")
	default:
		return form, true
	}
	return nil, false
}

// typed is a name as it may be typed.
func typed(name string) (string, bool) {
	name = strings.TrimSpace(name)
	bad := strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) })
	return name, name != "" && len([]rune(name)) <= maxName && !bad
}

// login is /login: it asks for name and password.
func (v *visitor) login() {
	q, ok := v.asked()
	if !ok {
		return
	}
	name := q.loginHint
	again := func(status int, message string) { v.askPassword(status, q, name, message, "") }
	if v.r.Method != http.MethodPost {
		again(http.StatusOK, "")
		return
	}
	form, ok := v.posted(again)
	if !ok {
		return
	}
	name, ok = typed(form.Get("username"))
	password := form.Get("password")
	if !ok || password == "" || len([]rune(password)) > maxPassword {
		again(http.StatusBadRequest, "Incorrect username or password.")
		return
	}
	step, err := v.pools.SignIn(v.call, v.pool, q.client, name, password)
	code, message, told := told(err)
	switch {
	case code == "UserNotConfirmedException":
		v.askCode(http.StatusOK, q, name, "", "Your account isn't confirmed yet.")
	case code == "PasswordResetRequiredException":
		v.askNewSecret(http.StatusOK, q, name, "", "You have to choose a new password. A code was sent to you.")
	case told:
		again(pageStatus(code), message)
	case err != nil:
		v.broken(err)
	default:
		v.next(q, step, name)
	}
}

// pageStatus is the status of a page that shows an error.
func pageStatus(code string) int {
	if code == "TooManyRequestsException" || code == "LimitExceededException" {
		return http.StatusTooManyRequests
	}
	return http.StatusBadRequest
}

func (v *visitor) askPassword(status int, q *request, name, wrong, notice string) {
	f := form{
		Title: "Sign in", Error: wrong, Notice: notice, Button: "Sign in", Action: v.action("/login", q), Fields: []field{
			{"username", "Name", "text", name, "username"},
			{"password", "Password", "password", "", "current-password"},
		},
		Links: []link{{"Forgot your password?", v.action("/forgotPassword", q)}},
	}
	if admin := v.pool.Settings.AdminCreateUserConfig; admin == nil || !value(admin.AllowAdminCreateUserOnly) {
		f.Links = append(f.Links, link{"Sign up", v.action("/signup", q)})
	}
	v.show(status, q, f)
}

// action is the address of a page, which needs no more escaping.
func (v *visitor) action(path string, q *request) template.URL {
	return template.URL(v.page(path, q)) // base is a domain's name, url.Values.Encode wrote the query
}

// next leads on after a right answer: to the next question or to the client.
func (v *visitor) next(q *request, step *cognitoidp.Step, name string) {
	if step.Grant == nil {
		v.ask(q, step, name)
		return
	}
	visit := cognitoidp.VisitOf(step.Grant)
	g, err := v.pools.HostedGrant(v.call, v.pool, q.client, visit, q.scopes, q.nonce)
	if _, message, told := told(err); told {
		v.askPassword(http.StatusBadRequest, q, name, message, "")
		return
	}
	if err == nil {
		err = v.begin(visit)
	}
	if err == nil {
		err = v.grant(q, visit, g)
	}
	if err != nil {
		v.broken(err)
	}
}

// attributeMark begins the names of fields that are attributes.
const attributeMark = "attribute."

func attributeField(name string) field {
	kind, complete := "text", "on"
	switch name {
	case "email":
		kind, complete = "email", "email"
	case "phone_number":
		kind, complete = "tel", "tel"
	}
	return field{attributeMark + name, strings.ReplaceAll(strings.TrimPrefix(name, "custom:"), "_", " "), kind, "", complete}
}

// attributes are those that a form has.
func attributes(form url.Values) map[string]string {
	out := map[string]string{}
	for name := range form {
		if name, ok := strings.CutPrefix(name, attributeMark); ok && form.Get(attributeMark+name) != "" {
			out[name] = form.Get(attributeMark + name)
		}
	}
	return out
}
