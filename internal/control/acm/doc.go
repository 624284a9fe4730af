// Package acm answers the API of AWS Certificate Manager: certificates that are
// requested, imported, renewed, shown, exported and deleted.
//
// It owns the stored certificates and the [Directory], their in-memory form, in
// which whoever shakes hands finds a certificate by its ARN. Who signs what is
// requested is an [Issuer], whether a name's record is there a [Validator].
// Which domain names use a certificate is definition.DomainCertificates,
// which the operations on domain names write.
//
// Private keys are stored sealed and leave by ExportCertificate alone, encrypted.
package acm
