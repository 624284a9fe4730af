package compile

import "testing"

func TestOpensToAll(t *testing.T) {
	for policy, want := range map[string]bool{
		`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"execute-api:/*"}]}`:                                                                                 true,
		`{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":[\"*\"]},\"Action\":[\"execute-api:*\"],\"Resource\":[\"arn:aws:execute-api:us-east-1:1:abc/*\"]}]}`:                             true,
		`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"},{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"::"}}}]}`: false,
		`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"execute-api:/dev/GET/*"}]}`:                                                                         false,
		`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::1:root"},"Action":"*","Resource":"*"}]}`:                                                                                     false,
		`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}]}`:                                                       false,
		`{"Statement":[]}`: false,
		`nonsense`:         false,
	} {
		if got := opensToAll(policy); got != want {
			t.Errorf("%s: %v", policy, got)
		}
	}
}
