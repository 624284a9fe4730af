// Package route53 answers the part of Route 53 that custom names need: hosted
// zones, their record sets, tags.
//
// Route 53 is global: what is stored has an account and no region. [Directory]
// holds the records of public zones in memory for internal/nameserver, which
// answers queries, and for those who ask whether a name's owner put a record
// there, as certificates are validated.
package route53
