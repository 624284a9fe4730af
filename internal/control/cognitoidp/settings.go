package cognitoidp

import (
	"slices"
	"strings"

	api "gatehouse/internal/awsapi/cognitoidp"
)

// unsupported refuses settings that would change what tokens are, and that
// nothing here would act on.
func unsupported(dcr, key, issuer, acr bool) error {
	for _, s := range [...]struct {
		given bool
		name  string
	}{{dcr, "DcrConfiguration"}, {key, "KeyConfiguration"}, {issuer, "IssuerConfiguration"}, {acr, "AcrConfiguration"}} {
		if s.given {
			return invalid(s.name + " isn't supported by this gateway.")
		}
	}
	return nil
}

// complete checks a pool's settings and fills in what wasn't given.
func complete(p *api.UserPoolType) error {
	if err := completePolicies(p); err != nil {
		return err
	}
	p.DeletionProtection = or(p.DeletionProtection, api.DeletionProtectionTypeInactive)
	p.MfaConfiguration = or(p.MfaConfiguration, api.UserPoolMfaTypeOff)
	p.UserPoolTier = or(p.UserPoolTier, api.UserPoolTierTypeEssentials)
	email := value(p.EmailConfiguration)
	email.EmailSendingAccount = or(email.EmailSendingAccount, api.EmailSendingAccountTypeCognitoDefault)
	p.EmailConfiguration = &email
	if p.AccountRecoverySetting == nil {
		// UNVERIFIED: what a pool answers that was made without it.
		p.AccountRecoverySetting = &api.AccountRecoverySettingType{RecoveryMechanisms: []api.RecoveryOptionType{
			{Priority: new(int32(1)), Name: new(api.RecoveryOptionNameTypeVerifiedEmail)},
			{Priority: new(int32(2)), Name: new(api.RecoveryOptionNameTypeVerifiedPhoneNumber)},
		}}
	}
	mirrorMessages(p)
	return completeTriggers(p)
}

// completePolicies is about passwords, old and new, and those of invitations.
func completePolicies(p *api.UserPoolType) error {
	policies := value(p.Policies)
	admin := value(p.AdminCreateUserConfig)
	admin.AllowAdminCreateUserOnly = or(admin.AllowAdminCreateUserOnly, false)
	if policies.PasswordPolicy == nil {
		policies.PasswordPolicy = &api.PasswordPolicyType{
			RequireUppercase: new(true), RequireLowercase: new(true), RequireNumbers: new(true), RequireSymbols: new(true),
		}
	}
	password := *policies.PasswordPolicy
	password.MinimumLength = or(password.MinimumLength, 8)
	for _, require := range [...]**bool{&password.RequireUppercase, &password.RequireLowercase, &password.RequireNumbers, &password.RequireSymbols} {
		*require = or(*require, false)
	}
	// The validity of temporary passwords has an old name and a new one.
	days := value(password.TemporaryPasswordValidityDays)
	old := value(admin.UnusedAccountValidityDays)
	if days != 0 && old != 0 && days != old {
		return invalid("Please use TemporaryPasswordValidityDays in PasswordPolicy instead of UnusedAccountValidityDays")
	}
	if days == 0 {
		days = old
	}
	if days == 0 {
		days = 7
	}
	password.TemporaryPasswordValidityDays, admin.UnusedAccountValidityDays = &days, &days
	policies.PasswordPolicy = &password
	if policies.SignInPolicy == nil {
		policies.SignInPolicy = &api.SignInPolicyType{AllowedFirstAuthFactors: []string{api.AuthFactorTypePassword}}
	}
	p.Policies, p.AdminCreateUserConfig = &policies, &admin
	return nil
}

// mirrorMessages has the verification messages both where they were once and
// where they are now.
func mirrorMessages(p *api.UserPoolType) {
	t := value(p.VerificationMessageTemplate)
	t.DefaultEmailOption = or(t.DefaultEmailOption, api.DefaultEmailOptionTypeConfirmWithCode)
	for _, m := range [...]struct{ old, now **string }{
		{&p.EmailVerificationMessage, &t.EmailMessage},
		{&p.EmailVerificationSubject, &t.EmailSubject},
		{&p.SmsVerificationMessage, &t.SmsMessage},
	} {
		if *m.now == nil {
			*m.now = *m.old
		}
		*m.old = *m.now
	}
	p.VerificationMessageTemplate = &t
}

// completeTriggers has the function before tokens in both of its places.
func completeTriggers(p *api.UserPoolType) error {
	l := value(p.LambdaConfig)
	switch {
	case l.PreTokenGenerationConfig == nil && l.PreTokenGeneration != nil:
		l.PreTokenGenerationConfig = &api.PreTokenGenerationVersionConfigType{
			LambdaArn: l.PreTokenGeneration, LambdaVersion: new(api.PreTokenGenerationLambdaVersionTypeV10),
		}
	case l.PreTokenGenerationConfig != nil && l.PreTokenGeneration == nil:
		l.PreTokenGeneration = l.PreTokenGenerationConfig.LambdaArn
	case l.PreTokenGenerationConfig != nil && value(l.PreTokenGeneration) != value(l.PreTokenGenerationConfig.LambdaArn):
		return invalid("PreTokenGeneration and PreTokenGenerationConfig.LambdaArn must have the same value.")
	}
	p.LambdaConfig = &l
	return nil
}

// caseSensitive tells whether names of users differ by their case.
func caseSensitive(p *api.UserPoolType) bool {
	return p.UsernameConfiguration == nil || value(p.UsernameConfiguration.CaseSensitive)
}

// fold is a name as it is compared.
func fold(p *api.UserPoolType, name string) string {
	if caseSensitive(p) {
		return name
	}
	return strings.ToLower(name)
}

// signsInBy tells whether an attribute stands in for user names of the pool.
func signsInBy(p *api.UserPoolType, attribute string) bool {
	return slices.Contains(p.UsernameAttributes, attribute)
}
