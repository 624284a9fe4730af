package apigateway

import (
	"bytes"
	"encoding/json"
	"strings"

	"gatehouse/internal/arn"
	"gatehouse/internal/awswire"
	"gatehouse/internal/policy"
)

// invalidPolicy is what AWS says of every document it can't use.
const invalidPolicy = "Invalid policy document. Please check the policy syntax and ensure that Principals are valid."

// storedPolicy is an API's resource policy as it is kept: compact, and with
// full ARNs in place of the short form that begins at "execute-api:/".
//
// UNVERIFIED: that a principal needn't exist as long as it could.
func storedPolicy(c *awswire.Call, apiID string, text *string) (*string, error) {
	if value(text) == "" {
		return nil, nil
	}
	document, err := policy.Parse(policy.Resource, *text)
	if err != nil || document.CheckPrincipals() != nil {
		return nil, badRequest(invalidPolicy)
	}
	var compact bytes.Buffer
	if json.Compact(&compact, []byte(*text)) != nil {
		return nil, badRequest(invalidPolicy)
	}
	full := arn.ARN{Partition: arn.Partition(c.Region), Service: "execute-api", Region: c.Region, Account: c.Account, Resource: apiID}
	return new(strings.ReplaceAll(compact.String(), `"execute-api:/`, `"`+full.String()+`/`)), nil
}

// shownPolicy is a policy as answers carry it: the inside of a JSON string, so
// that every quote in it has a backslash even after the answer is decoded.
// Slashes have one, too, which Terraform had to learn.
func shownPolicy(stored *string) *string {
	if stored == nil {
		return nil
	}
	return new(strings.NewReplacer(`\`, `\\`, `"`, `\"`, `/`, `\/`).Replace(*stored))
}
