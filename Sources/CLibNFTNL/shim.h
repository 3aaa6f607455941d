// libnftnl as a codec of nftables messages (linux/netfilter/nf_tables.h).
#pragma once

#include <netinet/in.h>  // before linux/netfilter.h, which would define its structures once more
#include <stdint.h>
#include <stdio.h>
#include <sys/uio.h>  // libnftnl/batch.h uses struct iovec without including it

#include <libnftnl/batch.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/object.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
