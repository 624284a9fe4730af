package oauth2

import (
	"net/http"
	"slices"

	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/control/cognitoidp"
	"gatehouse/internal/userpool"
)

// secretHash is what the operations of the API want of a client with a secret.
// The pages are the pool's own, so they know it.
func secretHash(cl *cognitoidp.Client, name string) *string {
	if cl.Settings.ClientSecret == nil {
		return nil
	}
	return new(userpool.SecretHash(name, cl.ID, *cl.Settings.ClientSecret))
}

// signUp is /signup.
func (v *visitor) signUp() {
	q, ok := v.asked()
	if !ok {
		return
	}
	name := ""
	again := func(status int, message string) { v.askSignUp(status, q, name, message) }
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
	if !ok || len([]rune(password)) > maxPassword {
		again(http.StatusBadRequest, "The name or the password isn't one.")
		return
	}
	in := &api.SignUpRequest{ClientId: &q.client.ID, SecretHash: secretHash(q.client, name), Username: &name, Password: &password}
	for attribute, text := range attributes(form) {
		in.UserAttributes = append(in.UserAttributes, api.AttributeType{Name: &attribute, Value: &text})
	}
	out, err := v.pools.SignUp(v.call, in)
	code, message, told := told(err)
	switch {
	case told:
		again(pageStatus(code), message)
	case err != nil:
		v.broken(err)
	case value(out.UserConfirmed):
		v.askPassword(http.StatusOK, q, name, "", "Your account is ready.")
	case out.CodeDeliveryDetails == nil:
		v.askPassword(http.StatusOK, q, name, "", "An administrator has to confirm your account.")
	default:
		v.askCode(http.StatusOK, q, name, "", "A code was sent to "+value(out.CodeDeliveryDetails.Destination)+".")
	}
}

// askSignUp asks for what a new user needs: a name, or the address that stands in
// for it, and the attributes that the pool requires or verifies.
func (v *visitor) askSignUp(status int, q *request, name, wrong string) {
	pool := v.pool.Settings
	label := "Name"
	if len(pool.UsernameAttributes) > 0 {
		label = "Email or phone number"
		if len(pool.UsernameAttributes) == 1 {
			label = attributeField(pool.UsernameAttributes[0]).Label
		}
	}
	f := form{
		Title: "Sign up", Error: wrong, Button: "Sign up", Action: v.action("/signup", q), Fields: []field{
			{"username", label, "text", name, "username"},
			{"password", "Password", "password", "", "new-password"},
		},
		Links: []link{{"Sign in", v.action("/login", q)}},
	}
	for _, a := range pool.SchemaAttributes {
		attribute := value(a.Name)
		wanted := value(a.Required) || slices.Contains(pool.AutoVerifiedAttributes, attribute)
		if wanted && attribute != "sub" && !slices.Contains(pool.UsernameAttributes, attribute) {
			f.Fields = append(f.Fields, attributeField(attribute))
		}
	}
	v.show(status, q, f)
}

// confirm is /confirmUser: the code that was sent at sign-up.
func (v *visitor) confirm() {
	q, ok := v.asked()
	if !ok {
		return
	}
	name := q.loginHint
	again := func(status int, message string) { v.askCode(status, q, name, message, "") }
	if v.r.Method != http.MethodPost {
		again(http.StatusOK, "")
		return
	}
	form, ok := v.posted(again)
	if !ok {
		return
	}
	name, ok = typed(form.Get("username"))
	code, whole := typed(form.Get("code"))
	if !ok || !whole {
		again(http.StatusBadRequest, "The name or the code isn't one.")
		return
	}
	_, err := v.pools.ConfirmSignUp(v.call, &api.ConfirmSignUpRequest{
		ClientId: &q.client.ID, SecretHash: secretHash(q.client, name), Username: &name, ConfirmationCode: &code,
	})
	kind, message, told := told(err)
	switch {
	case told:
		again(pageStatus(kind), message)
	case err != nil:
		v.broken(err)
	default:
		v.askPassword(http.StatusOK, q, name, "", "Your account is confirmed.")
	}
}

func (v *visitor) askCode(status int, q *request, name, wrong, notice string) {
	v.show(status, q, form{
		Title: "Confirm your account", Error: wrong, Notice: notice, Button: "Confirm", Action: v.action("/confirmUser", q), Fields: []field{
			{"username", "Name", "text", name, "username"},
			{"code", "Code", "text", "", "one-time-code"},
		},
		Links: []link{{"Sign in", v.action("/login", q)}},
	})
}

// forgot is /forgotPassword: it sends a code.
func (v *visitor) forgot() {
	q, ok := v.asked()
	if !ok {
		return
	}
	name := q.loginHint
	again := func(status int, message string) {
		v.show(status, q, form{
			Title: "Forgot your password?", Error: message, Button: "Send a code", Action: v.action("/forgotPassword", q),
			Fields: []field{{"username", "Name", "text", name, "username"}},
			Links:  []link{{"I have a code", v.action("/confirmForgotPassword", q)}, {"Sign in", v.action("/login", q)}},
		})
	}
	if v.r.Method != http.MethodPost {
		again(http.StatusOK, "")
		return
	}
	form, ok := v.posted(again)
	if !ok {
		return
	}
	if name, ok = typed(form.Get("username")); !ok {
		again(http.StatusBadRequest, "The name isn't one.")
		return
	}
	out, err := v.pools.ForgotPassword(v.call, &api.ForgotPasswordRequest{
		ClientId: &q.client.ID, SecretHash: secretHash(q.client, name), Username: &name,
	})
	kind, message, told := told(err)
	switch {
	case told:
		again(pageStatus(kind), message)
	case err != nil:
		v.broken(err)
	default:
		v.askNewSecret(http.StatusOK, q, name, "", "A code was sent to "+value(out.CodeDeliveryDetails.Destination)+".")
	}
}

// confirmForgot is /confirmForgotPassword: the code and the new password.
func (v *visitor) confirmForgot() {
	q, ok := v.asked()
	if !ok {
		return
	}
	name := q.loginHint
	again := func(status int, message string) { v.askNewSecret(status, q, name, message, "") }
	if v.r.Method != http.MethodPost {
		again(http.StatusOK, "")
		return
	}
	form, ok := v.posted(again)
	if !ok {
		return
	}
	name, ok = typed(form.Get("username"))
	code, whole := typed(form.Get("code"))
	password := form.Get("password")
	if !ok || !whole || len([]rune(password)) > maxPassword {
		again(http.StatusBadRequest, "The name, the code or the password isn't one.")
		return
	}
	_, err := v.pools.ConfirmForgotPassword(v.call, &api.ConfirmForgotPasswordRequest{
		ClientId: &q.client.ID, SecretHash: secretHash(q.client, name), Username: &name, ConfirmationCode: &code, Password: &password,
	})
	kind, message, told := told(err)
	switch {
	case told:
		again(pageStatus(kind), message)
	case err != nil:
		v.broken(err)
	default:
		v.askPassword(http.StatusOK, q, name, "", "Your password was changed.")
	}
}

func (v *visitor) askNewSecret(status int, q *request, name, wrong, notice string) {
	v.show(status, q, form{
		Title: "Choose a new password", Error: wrong, Notice: notice, Button: "Change", Action: v.action("/confirmForgotPassword", q), Fields: []field{
			{"username", "Name", "text", name, "username"},
			{"code", "Code", "text", "", "one-time-code"},
			{"password", "New password", "password", "", "new-password"},
		},
		Links: []link{{"Sign in", v.action("/login", q)}},
	})
}
