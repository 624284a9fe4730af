package iam

import (
	api "gatehouse/internal/awsapi/iam"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

// What users and accounts never have here, because nothing makes it: passwords,
// devices, certificates, SSH keys, providers. Whoever deletes a user with all
// that belongs to it asks for each of them.

func (s *Service) userExists(c *awswire.Call, name *string) error {
	name, err := nameOrCaller(c, name)
	if err != nil {
		return err
	}
	return s.user(c, name, func(*store.Tx, *userDoc) error { return nil })
}

func (s *Service) noLoginProfile(c *awswire.Call, name *string) error {
	name, err := nameOrCaller(c, name)
	if err != nil {
		return err
	}
	if err := s.userExists(c, name); err != nil {
		return err
	}
	return noSuchEntity("Login Profile for User " + *name + " cannot be found.")
}

// GetLoginProfile tells that the user has no password.
func (s *Service) GetLoginProfile(c *awswire.Call, in *api.GetLoginProfileRequest) (*api.GetLoginProfileResponse, error) {
	return nil, s.noLoginProfile(c, in.UserName)
}

// DeleteLoginProfile tells that the user has no password.
func (s *Service) DeleteLoginProfile(c *awswire.Call, in *api.DeleteLoginProfileRequest) error {
	return s.noLoginProfile(c, in.UserName)
}

// GetAccountPasswordPolicy tells that there is none.
func (s *Service) GetAccountPasswordPolicy(c *awswire.Call) (*api.GetAccountPasswordPolicyResponse, error) {
	return nil, noSuchEntity("The Password Policy with domain name " + c.Account + " cannot be found.")
}

// ListMFADevices lists none.
func (s *Service) ListMFADevices(c *awswire.Call, in *api.ListMFADevicesRequest) (*api.ListMFADevicesResponse, error) {
	if in.UserName != nil || !c.Principal.Root {
		if err := s.userExists(c, in.UserName); err != nil {
			return nil, err
		}
	}
	return &api.ListMFADevicesResponse{MFADevices: []api.MFADevice{}, IsTruncated: new(false)}, nil
}

// ListVirtualMFADevices lists none.
func (s *Service) ListVirtualMFADevices(*awswire.Call, *api.ListVirtualMFADevicesRequest) (*api.ListVirtualMFADevicesResponse, error) {
	return &api.ListVirtualMFADevicesResponse{VirtualMFADevices: []api.VirtualMFADevice{}, IsTruncated: new(false)}, nil
}

// ListSSHPublicKeys lists none.
func (s *Service) ListSSHPublicKeys(c *awswire.Call, in *api.ListSSHPublicKeysRequest) (*api.ListSSHPublicKeysResponse, error) {
	if err := s.userExists(c, in.UserName); err != nil {
		return nil, err
	}
	return &api.ListSSHPublicKeysResponse{SSHPublicKeys: []api.SSHPublicKeyMetadata{}, IsTruncated: new(false)}, nil
}

// ListSigningCertificates lists none.
func (s *Service) ListSigningCertificates(c *awswire.Call, in *api.ListSigningCertificatesRequest) (*api.ListSigningCertificatesResponse, error) {
	if err := s.userExists(c, in.UserName); err != nil {
		return nil, err
	}
	return &api.ListSigningCertificatesResponse{Certificates: []api.SigningCertificate{}, IsTruncated: new(false)}, nil
}

// ListServiceSpecificCredentials lists none.
func (s *Service) ListServiceSpecificCredentials(c *awswire.Call, in *api.ListServiceSpecificCredentialsRequest) (*api.ListServiceSpecificCredentialsResponse, error) {
	if err := s.userExists(c, in.UserName); err != nil {
		return nil, err
	}
	return &api.ListServiceSpecificCredentialsResponse{ServiceSpecificCredentials: []api.ServiceSpecificCredentialMetadata{}}, nil
}

// ListOpenIDConnectProviders lists none.
func (s *Service) ListOpenIDConnectProviders(*awswire.Call, *api.ListOpenIDConnectProvidersRequest) (*api.ListOpenIDConnectProvidersResponse, error) {
	return &api.ListOpenIDConnectProvidersResponse{OpenIDConnectProviderList: []api.OpenIDConnectProviderListEntry{}}, nil
}

// ListSAMLProviders lists none.
func (s *Service) ListSAMLProviders(*awswire.Call, *api.ListSAMLProvidersRequest) (*api.ListSAMLProvidersResponse, error) {
	return &api.ListSAMLProvidersResponse{SAMLProviderList: []api.SAMLProviderListEntry{}}, nil
}

// ListServerCertificates lists none.
func (s *Service) ListServerCertificates(*awswire.Call, *api.ListServerCertificatesRequest) (*api.ListServerCertificatesResponse, error) {
	return &api.ListServerCertificatesResponse{ServerCertificateMetadataList: []api.ServerCertificateMetadata{}, IsTruncated: new(false)}, nil
}
