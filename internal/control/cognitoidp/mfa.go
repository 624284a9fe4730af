package cognitoidp

import (
	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

// softwareTokens tells whether a pool's users may have authenticator apps.
func softwareTokens(d *poolDoc) bool {
	return d.MFA.SoftwareToken != nil && value(d.MFA.SoftwareToken.Enabled)
}

// SetUserPoolMfaConfig says whether users need a second factor, and which.
func (s *Service) SetUserPoolMfaConfig(c *awswire.Call, in *api.SetUserPoolMfaConfigRequest) (*api.SetUserPoolMfaConfigResponse, error) {
	out := &api.SetUserPoolMfaConfigResponse{}
	err := s.changePool(c, in.UserPoolId, func(_ *store.Tx, d *poolDoc) error {
		mode := *or(in.MfaConfiguration, api.UserPoolMfaTypeOff)
		d.MFA = mfaDoc{SoftwareToken: in.SoftwareTokenMfaConfiguration, Email: in.EmailMfaConfiguration, WebAuthn: in.WebAuthnConfiguration}
		factors := in.SmsMfaConfiguration != nil || in.EmailMfaConfiguration != nil || softwareTokens(d)
		switch {
		case mode == api.UserPoolMfaTypeOff && factors:
			return invalid("Invalid MFA configuration given, can't turn off MFA and configure an MFA together.")
		case mode != api.UserPoolMfaTypeOff && !factors:
			return invalid("Invalid MFA configuration given, can't disable all MFAs with a required or optional configuration.")
		}
		d.Pool.MfaConfiguration = &mode
		if sms := in.SmsMfaConfiguration; sms != nil {
			d.Pool.SmsConfiguration, d.Pool.SmsAuthenticationMessage = sms.SmsConfiguration, sms.SmsAuthenticationMessage
		}
		now := mfaConfig(d)
		out.MfaConfiguration, out.SmsMfaConfiguration, out.SoftwareTokenMfaConfiguration = now.MfaConfiguration, now.SmsMfaConfiguration, now.SoftwareTokenMfaConfiguration
		out.EmailMfaConfiguration, out.WebAuthnConfiguration = now.EmailMfaConfiguration, now.WebAuthnConfiguration
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// GetUserPoolMfaConfig tells what SetUserPoolMfaConfig said.
func (s *Service) GetUserPoolMfaConfig(c *awswire.Call, in *api.GetUserPoolMfaConfigRequest) (*api.GetUserPoolMfaConfigResponse, error) {
	var out *api.GetUserPoolMfaConfigResponse
	err := s.viewPool(c, in.UserPoolId, func(_ *store.Tx, d *poolDoc) error {
		out = mfaConfig(d)
		return nil
	})
	return out, err
}

// mfaConfig is a pool's second factors. SMS is there only while there are any.
func mfaConfig(d *poolDoc) *api.GetUserPoolMfaConfigResponse {
	out := &api.GetUserPoolMfaConfigResponse{
		MfaConfiguration: d.Pool.MfaConfiguration, EmailMfaConfiguration: d.MFA.Email, WebAuthnConfiguration: d.MFA.WebAuthn,
	}
	if value(d.Pool.MfaConfiguration) == api.UserPoolMfaTypeOff {
		return out
	}
	out.SoftwareTokenMfaConfiguration = d.MFA.SoftwareToken
	if d.Pool.SmsConfiguration != nil {
		out.SmsMfaConfiguration = &api.SmsMfaConfigType{
			SmsConfiguration: d.Pool.SmsConfiguration, SmsAuthenticationMessage: d.Pool.SmsAuthenticationMessage,
		}
	}
	return out
}
