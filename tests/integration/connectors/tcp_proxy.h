/*
 * tcp_proxy.h -- a server's network, with faults on demand.
 *
 * A thread of the test listens on a free loopback port and hands bytes to and from the real server.
 */
#ifndef TESTS_TCP_PROXY_H
#define TESTS_TCP_PROXY_H

enum tcp_fault {
    TCP_PASS,      /* everything goes through */
    TCP_STALL,     /* nothing goes through, connections stay */
    TCP_DROP_ACKS, /* requests reach the server, the first answer cuts the connection */
    TCP_REFUSE,    /* connections are cut, new ones too */
};

struct tcp_proxy;

/* host: an IPv4 address. Fails the test when it cannot listen. */
struct tcp_proxy *tcp_proxy_start(const char *host, int port);
void tcp_proxy_stop(struct tcp_proxy **proxy);
int tcp_proxy_port(const struct tcp_proxy *proxy);
/* Takes effect before it returns, for connections that exist too. */
void tcp_proxy_set(struct tcp_proxy *proxy, enum tcp_fault fault);

/* A port that was free a moment ago. */
int tcp_free_port(void);

#endif
