/*
 * api.h -- marks what a stage in a shared object may call (millrace/module.h).
 *
 * Everything of the program is built with hidden symbols. The headers that a stage includes put
 * their declarations between these two, so that the program shows these functions and no others.
 */
#ifndef MILLRACE_API_H
#define MILLRACE_API_H

#define MR_API_BEGIN _Pragma("GCC visibility push(default)")
#define MR_API_END _Pragma("GCC visibility pop")

#endif
