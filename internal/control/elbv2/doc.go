// Package elbv2 holds the operations of Elastic Load Balancing: the application and
// network load balancers that private integrations lead to, with their listeners,
// rules, target groups and targets. The gateway is the load balancer: Directory tells
// package balance what there is, which spreads the requests and checks the targets.
// Nothing listens for anybody else.
package elbv2
