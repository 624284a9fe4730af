package compile

import (
	"fmt"
	"strings"

	"gatehouse/internal/arn"
	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
)

// cognito compiles a COGNITO_USER_POOLS authorizer for a method that asks for
// scopes; none asks for no scope. A resource policy is asked when the token was
// found good, and has to allow the call.
func (m *methodBuilder) cognito(doc *definition.RestAuthorizer, scopes []string) (plan.Authorizer, error) {
	check := m.c.parts.Cognito
	if check == nil {
		return closed{plan.AuthorizerMisconfigured, "nothing here verifies tokens"}, nil
	}
	options := CognitoCheck{
		IdentitySource:     orElse(doc.IdentitySource, defaultTokenSource),
		AudienceExpression: value(doc.IdentityValidationExpression),
		Scopes:             scopes,
	}
	for _, pool := range doc.ProviderARNs {
		issuer, err := poolIssuer(pool)
		if err != nil {
			return nil, err
		}
		options.Issuers = append(options.Issuers, issuer)
	}
	token, err := check(options)
	if err != nil {
		return nil, fmt.Errorf("authorizer %s: %w", value(doc.Id), err)
	}
	if policy := m.anonymous(); policy != nil {
		return inTurn{token, policy}, nil
	}
	return token, nil
}

// poolIssuer is what tokens of a user pool have as iss.
// https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html
func poolIssuer(pool string) (string, error) {
	a, err := arn.Parse(pool)
	if err != nil {
		return "", err
	}
	id, ok := strings.CutPrefix(a.Resource, "userpool/")
	if !ok || id == "" || a.Region == "" {
		return "", fmt.Errorf("%s isn't the ARN of a user pool", pool)
	}
	domain := "amazonaws.com"
	if a.Partition == "aws-cn" {
		domain = "amazonaws.com.cn"
	}
	return "https://cognito-idp." + a.Region + "." + domain + "/" + id, nil
}

// inTurn asks one authorizer after the other; all have to let a request pass.
type inTurn [2]plan.Authorizer

// Authorize implements plan.Authorizer.
func (t inTurn) Authorize(x *plan.Exchange) error {
	if err := t[0].Authorize(x); err != nil {
		return err
	}
	return t[1].Authorize(x)
}
