// Package iam answers the IAM management API: roles, users, groups, the
// policies they are given, access keys and instance profiles.
//
// It owns the stored identities and the [Directory], the in-memory form of the
// access keys, in which management calls and traffic look up who signed them
// without touching the store. What a policy document means is policy's;
// sessions are control/sts's, which reads roles through [Service.Role].
//
// IAM is global: everything is stored under an account and no region. Names
// are unique whatever their case, so documents are found by their name in lower
// case.
package iam
