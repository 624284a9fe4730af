package sts

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"gatehouse/internal/arn"
	api "gatehouse/internal/awsapi/sts"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/iam"
	"gatehouse/internal/policy"
)

// How long sessions last unless asked otherwise. Root's end after an hour.
const (
	defaultUserSession = 12 * time.Hour
	maxRootSession     = time.Hour
)

// GetCallerIdentity tells who calls; nobody is refused that.
func (s *Service) GetCallerIdentity(c *awswire.Call, _ *api.GetCallerIdentityRequest) (*api.GetCallerIdentityResponse, error) {
	return &api.GetCallerIdentityResponse{UserId: &c.Principal.UserID, Account: &c.Principal.Account, Arn: &c.Principal.ARN}, nil
}

// GetAccessKeyInfo reads the account out of a key id; the key need not exist.
func (s *Service) GetAccessKeyInfo(c *awswire.Call, in *api.GetAccessKeyInfoRequest) (*api.GetAccessKeyInfoResponse, error) {
	if id := *in.AccessKeyId; s.Credentials.rootID != "" && id == s.Credentials.rootID {
		return &api.GetAccessKeyInfoResponse{Account: &s.Credentials.root.Account}, nil
	}
	account, ok := iam.KeyAccount(*in.AccessKeyId)
	if !ok {
		return nil, invalid("The access key id " + *in.AccessKeyId + " is not valid.")
	}
	return &api.GetAccessKeyInfoResponse{Account: &account}, nil
}

// GetSessionToken makes a session of a user or of root.
func (s *Service) GetSessionToken(c *awswire.Call, in *api.GetSessionTokenRequest) (*api.GetSessionTokenResponse, error) {
	if temporary(c) {
		return nil, denied("Cannot call GetSessionToken with session credentials")
	}
	if err := noMFA(in.SerialNumber, in.TokenCode); err != nil {
		return nil, err
	}
	duration := seconds(in.DurationSeconds, defaultUserSession)
	if c.Principal.Root {
		duration = min(duration, maxRootSession)
	}
	v := &Session{Account: c.Account, ARN: c.Principal.ARN, UserID: c.Principal.UserID, Root: c.Principal.Root}
	token, err := s.issue(v, c.Time, duration)
	if err != nil {
		return nil, err
	}
	return &api.GetSessionTokenResponse{Credentials: shown(v, token)}, nil
}

// GetFederationToken makes a session of somebody a user vouches for.
func (s *Service) GetFederationToken(c *awswire.Call, in *api.GetFederationTokenRequest) (*api.GetFederationTokenResponse, error) {
	if temporary(c) {
		return nil, denied("Cannot call GetFederationToken with session credentials")
	}
	policyARNs, err := checkBounds(in.Policy, in.PolicyArns)
	if err != nil {
		return nil, err
	}
	tags, err := tagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	packed, err := packedSize(in.Policy, policyARNs, tags)
	if err != nil {
		return nil, err
	}
	duration := seconds(in.DurationSeconds, defaultUserSession)
	if c.Principal.Root {
		duration = min(duration, maxRootSession)
	}
	v := &Session{
		Account: c.Account, ARN: "arn:" + arn.Partition(c.Region) + ":sts::" + c.Account + ":federated-user/" + *in.Name,
		UserID: c.Account + ":" + *in.Name, Tags: tags, Policy: value(in.Policy), PolicyARNs: policyARNs,
		Federator: c.Principal.UserID,
	}
	token, err := s.issue(v, c.Time, duration)
	if err != nil {
		return nil, err
	}
	return &api.GetFederationTokenResponse{
		Credentials: shown(v, token), FederatedUser: &api.FederatedUser{Arn: &v.ARN, FederatedUserId: &v.UserID},
		PackedPolicySize: &packed,
	}, nil
}

// AssumeRoleWithWebIdentity verifies tokens against the account's OpenID
// Connect providers. It has none as long as IAM can't create any, so the answer
// is AWS's to a token of an issuer that isn't known.
func (s *Service) AssumeRoleWithWebIdentity(_ *awswire.Call, in *api.AssumeRoleWithWebIdentityRequest) (*api.AssumeRoleWithWebIdentityResponse, error) {
	issuer, ok := tokenIssuer(*in.WebIdentityToken)
	if !ok {
		return nil, api.NewInvalidIdentityTokenException("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
	}
	return nil, api.NewInvalidIdentityTokenException("No OpenIDConnect provider found in your account for " + issuer)
}

// tokenIssuer reads the issuer of a JWT without believing it.
func tokenIssuer(token string) (string, bool) {
	part := strings.Split(token, ".")
	if len(part) != 3 {
		return "", false
	}
	raw, err := base64.RawURLEncoding.DecodeString(part[1])
	if err != nil {
		return "", false
	}
	var claims struct {
		Issuer string `json:"iss"`
	}
	if json.Unmarshal(raw, &claims) != nil || claims.Issuer == "" {
		return "", false
	}
	return claims.Issuer, true
}

// DecodeAuthorizationMessage has nothing to decode: no refusal of this gateway
// carries an encoded message.
func (s *Service) DecodeAuthorizationMessage(*awswire.Call, *api.DecodeAuthorizationMessageRequest) (*api.DecodeAuthorizationMessageResponse, error) {
	return nil, api.NewInvalidAuthorizationMessageException("Message is not valid")
}

// temporary tells whether the caller's keys are a session's.
func temporary(c *awswire.Call) bool {
	return strings.HasPrefix(c.Principal.AccessKeyID, iam.SessionKey)
}

// noMFA refuses the code of a device: there are no devices to check it against.
func noMFA(serial, code *string) error {
	if serial == nil && code == nil {
		return nil
	}
	return denied("MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.")
}

// checkBounds checks the policies that bound a session.
func checkBounds(document *string, arns []api.PolicyDescriptorType) ([]string, error) {
	if document != nil {
		if _, err := policy.Parse(policy.Session, *document); err != nil {
			return nil, api.NewMalformedPolicyDocumentException(err.Error())
		}
	}
	if len(arns) > 10 {
		return nil, invalid("1 validation error detected: Value at 'policyArns' failed to satisfy constraint: Member must have length less than or equal to 10")
	}
	var out []string
	for _, p := range arns {
		a, err := arn.Parse(value(p.Arn))
		if err != nil || a.Service != "iam" || !strings.HasPrefix(a.Resource, "policy/") {
			return nil, invalid("ARN " + value(p.Arn) + " is not valid.")
		}
		out = append(out, a.String())
	}
	return out, nil
}

// tagMap are tags by key in lower case, which must be unique.
func tagMap(tags []api.Tag) (map[string]string, error) {
	out := map[string]string{}
	for _, t := range tags {
		key := strings.ToLower(value(t.Key))
		if _, ok := out[key]; ok {
			return nil, invalidParameter("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		out[key] = value(t.Value)
	}
	return out, nil
}

// maxPacked is how much of policies and tags a session can carry, in bytes.
// UNVERIFIED: AWS packs them in a form it doesn't tell; here they are counted
// as they are.
const maxPacked = 4096

// packedSize tells how much of the space for policies and tags is used, in
// percent.
func packedSize(document *string, arns []string, tags map[string]string) (int32, error) {
	n := len(value(document))
	for _, a := range arns {
		n += len(a)
	}
	for k, v := range tags {
		n += len(k) + len(v)
	}
	percent := int32((n*100 + maxPacked - 1) / maxPacked)
	if percent > 100 {
		return 0, api.NewPackedPolicyTooLargeException("Packed size of session tags consumes more than the allotted space.")
	}
	return percent, nil
}
