package cognitoidp_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"net/http/httptest"
	"slices"
	"testing"

	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/awswire"
)

// A babbler makes inputs that fit the model and little else.
type babbler struct {
	*rand.Rand
	model *awswire.Model
	// words are texts that mean something in the pool.
	words map[string][]string
}

func (b *babbler) value(name string, t *awswire.Type, depth int) any {
	switch t.Kind {
	case awswire.KindInteger, awswire.KindLong:
		low := max(t.Min, 0)
		return int(low) + b.IntN(5)
	case awswire.KindBoolean:
		return b.IntN(2) == 0
	case awswire.KindList:
		list := []any{}
		for range max(int(t.Min), b.IntN(3)) {
			list = append(list, b.value(name, &b.model.Types[t.Ref], depth))
		}
		return list
	case awswire.KindMap:
		m := map[string]any{}
		for range b.IntN(5) {
			key := b.pick("key", nil)
			m[key] = b.value(key, &b.model.Types[t.Ref], depth)
		}
		return m
	case awswire.KindStructure:
		return b.structure(&b.model.Structures[t.Ref], depth+1)
	}
	if t.Enum != 0 {
		values := b.model.Enums[t.Enum-1]
		return values[b.IntN(len(values))]
	}
	return b.pick(name, t)
}

func (b *babbler) pick(name string, t *awswire.Type) string {
	words := b.words[name]
	if len(words) == 0 || b.IntN(8) == 0 {
		words = b.words[""]
	}
	word := words[b.IntN(len(words))]
	if t != nil && t.HasMin && len(word) < int(t.Min) {
		word += "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	}
	return word
}

func (b *babbler) structure(st *awswire.Structure, depth int) map[string]any {
	m := map[string]any{}
	for _, member := range st.Members {
		if member.Required || depth < 4 && b.IntN(3) == 0 {
			m[member.WireName()] = b.value(member.Name, &b.model.Types[member.Type], depth)
		}
	}
	return m
}

// TestOddInputs calls every operation with what the model allows, over and over:
// whatever it is, the answer is AWS's kind of answer.
func TestOddInputs(t *testing.T) {
	f := newFixture(t, &api.CreateUserPoolRequest{AliasAttributes: []string{"email"}, AutoVerifiedAttributes: []string{"email"}})
	cl := f.client(nil)
	f.user("alice", attr("email", "a@example.com"), attr("email_verified", "true"))
	r := f.signIn(cl, "alice")
	bound := api.NewService(f.Service)
	b := &babbler{Rand: rand.New(rand.NewPCG(1, 2)), model: bound.Model}
	b.words = map[string][]string{
		"":           {"", "x", "a@example.com", "+491234567", "0", "-1", "\u00fc\u0000", "custom:x", "email", "aws:x", "{}", "arn:aws:lambda:eu-central-1:1:function:f"},
		"UserPoolId": {f.pool}, "ClientId": {*cl.ClientId}, "Username": {"alice", "bob", "a@example.com"}, "AccessToken": {*r.AccessToken, *r.IdToken},
		"RefreshToken": {*r.RefreshToken}, "Token": {*r.RefreshToken}, "GroupName": {"g"}, "Password": {password, "weak"}, "ProposedPassword": {password},
		"PreviousPassword": {password}, "TemporaryPassword": {password}, "Name": {"email", "custom:x", "tenant", "email_verified", "sub", "birthdate"},
		"Domain": {"shop", "shop.example.com"}, "Identifier": {"https://api"}, "ResourceArn": {*f.describe().Arn}, "UserAttributeNames": {"email", "name"},
		"AttributeName": {"email", "phone_number", "sub"}, "Filter": {`email = "x"`}, "AttributesToGet": {"email"}, "ReadAttributes": {"email"},
		"key": {"USERNAME", "PASSWORD", "SRP_A", "REFRESH_TOKEN", "NEW_PASSWORD", "ANSWER", "SECRET_HASH", "TIMESTAMP", "PASSWORD_CLAIM_SECRET_BLOCK",
			"PASSWORD_CLAIM_SIGNATURE", "SOFTWARE_TOKEN_MFA_CODE", "CHALLENGE_NAME", "_custom_id_", "userAttributes.email"},
		"USERNAME": {"alice", "bob"}, "PASSWORD": {password}, "SRP_A": {"2", "ff"}, "REFRESH_TOKEN": {*r.RefreshToken}, "_custom_id_": {"mine"},
	}
	h := f.front()
	rounds := 40
	if testing.Short() {
		rounds = 5
	}
	answered := map[int]int{}
	for round := range rounds {
		for _, op := range bound.Operations {
			// These end what the others work on.
			if round < rounds-2 && slices.Contains([]string{"DeleteUserPool", "DeleteUserPoolClient", "AdminDeleteUser", "DeleteUser"}, op.Name) {
				continue
			}
			body, err := json.Marshal(b.structure(&b.model.Structures[op.Input], 0))
			ok(t, err)
			q := httptest.NewRequest("POST", "/", bytes.NewReader(body))
			q.Host = "localhost"
			q.Header.Set("X-Amz-Target", bound.TargetPrefix+"."+op.Name)
			q.Header.Set("Content-Type", "application/x-amz-json-1.1")
			q.Header.Set("X-Amz-Date", "20261127T080000Z")
			q.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+account+"/20261127/eu-central-1/cognito-idp/aws4_request, SignedHeaders=host;x-amz-date, Signature=00")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, q)
			answered[w.Code]++
			if w.Code >= 500 && w.Code != 501 {
				t.Errorf("%s %s: %d %s", op.Name, body, w.Code, w.Body)
			}
		}
	}
	if answered[200] == 0 || answered[400] == 0 {
		t.Errorf("%v", answered)
	}
	t.Logf("%v", answered)
}
