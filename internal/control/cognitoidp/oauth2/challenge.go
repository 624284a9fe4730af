package oauth2

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/control/cognitoidp"
)

// A question is what a page asks between the password and the end of a sign-in.
type question struct {
	challenge, session string
	// name is what the user typed to sign in.
	name string
	// lacks are the attributes that have to come with a new password.
	lacks []string
	// sentTo is where a code went, secret what an authenticator app is to have.
	sentTo, secret string
}

// ask shows the question of a step.
func (v *visitor) ask(q *request, step *cognitoidp.Step, name string) {
	ask := question{challenge: step.Challenge, session: step.Session, name: name, sentTo: step.Params["CODE_DELIVERY_DESTINATION"]}
	switch step.Challenge {
	case api.ChallengeNameTypeNewPasswordRequired:
		var lacks []string
		if err := json.Unmarshal([]byte(step.Params["requiredAttributes"]), &lacks); err != nil {
			v.broken(err)
			return
		}
		for _, attribute := range lacks {
			ask.lacks = append(ask.lacks, strings.TrimPrefix(attribute, "userAttributes."))
		}
	case api.ChallengeNameTypeMfaSetup:
		out, err := v.pools.AssociateSoftwareToken(v.call, &api.AssociateSoftwareTokenRequest{Session: &step.Session})
		if err != nil {
			v.lost(q, name, err)
			return
		}
		ask.session, ask.secret = *out.Session, *out.SecretCode
	}
	v.put(http.StatusOK, q, ask, "")
}

// lost begins anew after an error that no other answer mends.
func (v *visitor) lost(q *request, name string, err error) {
	code, message, told := told(err)
	if !told {
		v.broken(err)
		return
	}
	v.askPassword(pageStatus(code), q, name, message, "")
}

// put shows a question, with what was wrong with the last answer.
func (v *visitor) put(status int, q *request, ask question, wrong string) {
	f := form{Error: wrong, Button: "Go on", Action: v.action("/challenge", q), Fields: []field{
		{"challenge", "", "hidden", ask.challenge, ""}, {"session", "", "hidden", ask.session, ""}, {"username", "", "hidden", ask.name, ""},
	}, Links: []link{{"Sign in as somebody else", v.action("/login", q)}}}
	code := field{"code", "Code", "text", "", "one-time-code"}
	switch ask.challenge {
	case api.ChallengeNameTypeNewPasswordRequired:
		f.Title, f.Notice = "Choose a password", "Your password was a temporary one."
		f.Fields = append(f.Fields, field{"password", "New password", "password", "", "new-password"})
		for _, attribute := range ask.lacks {
			f.Fields = append(f.Fields, attributeField(attribute))
		}
	case api.ChallengeNameTypeMfaSetup:
		f.Title, f.Notice = "Set up your authenticator app", "Give your app this key and type the code that it shows: "+ask.secret
		f.Fields = append(f.Fields, field{"secret", "", "hidden", ask.secret, ""}, code)
	case api.ChallengeNameTypeSoftwareTokenMfa:
		f.Title, f.Notice, f.Fields = "One more step", "Type the code that your authenticator app shows.", append(f.Fields, code)
	default:
		f.Title, f.Notice, f.Fields = "One more step", "A code was sent to "+ask.sentTo+".", append(f.Fields, field{"sentTo", "", "hidden", ask.sentTo, ""}, code)
	}
	v.show(status, q, f)
}

// challenge is /challenge, which takes the answers.
func (v *visitor) challenge() {
	q, ok := v.asked()
	if !ok {
		return
	}
	form, ok := v.posted(func(status int, message string) { v.askPassword(status, q, "", message, "") })
	if !ok {
		return
	}
	ask := question{challenge: form.Get("challenge"), session: form.Get("session"), secret: form.Get("secret"), sentTo: form.Get("sentTo")}
	if ask.name, ok = typed(form.Get("username")); !ok {
		v.askPassword(http.StatusBadRequest, q, "", "The form couldn't be read.", "")
		return
	}
	for _, a := range v.pool.Settings.SchemaAttributes {
		if form.Has(attributeMark + value(a.Name)) {
			ask.lacks = append(ask.lacks, value(a.Name))
		}
	}
	step, err := v.answered(q, &ask, form)
	switch code, message, told := told(err); {
	case err == nil:
		v.next(q, step, ask.name)
	case told && mendable(code):
		v.put(pageStatus(code), q, ask, message)
	default:
		v.lost(q, ask.name, err)
	}
}

// mendable tells whether another answer to the same question may do.
func mendable(code string) bool {
	return slices.Contains([]string{
		"InvalidPasswordException", "PasswordHistoryPolicyViolationException", "InvalidParameterException", "CodeMismatchException", "ExpiredCodeException",
		"EnableSoftwareTokenMFAException", "TooManyRequestsException",
	}, code)
}

// answered gives the answer of a form to the pool.
func (v *visitor) answered(q *request, ask *question, form url.Values) (*cognitoidp.Step, error) {
	answers := map[string]string{"USERNAME": ask.name}
	if hash := secretHash(q.client, ask.name); hash != nil {
		answers["SECRET_HASH"] = *hash
	}
	code, _ := typed(form.Get("code"))
	session := ask.session
	switch ask.challenge {
	case api.ChallengeNameTypeNewPasswordRequired:
		password := form.Get("password")
		if len([]rune(password)) > maxPassword {
			return nil, api.NewInvalidPasswordException("The password is too long.")
		}
		answers["NEW_PASSWORD"] = password
		for attribute, text := range attributes(form) {
			answers["userAttributes."+attribute] = text
		}
	case api.ChallengeNameTypeMfaSetup:
		out, err := v.pools.VerifySoftwareToken(v.call, &api.VerifySoftwareTokenRequest{Session: &session, UserCode: &code})
		if err != nil {
			return nil, err
		}
		session = *out.Session
	case api.ChallengeNameTypeSoftwareTokenMfa, api.ChallengeNameTypeSmsMfa, api.ChallengeNameTypeEmailOtp:
		answers[ask.challenge+"_CODE"] = code
	default:
		return nil, api.NewNotAuthorizedException("The form couldn't be read.")
	}
	return v.pools.Answer(v.call, v.pool, q.client, ask.challenge, session, answers)
}
