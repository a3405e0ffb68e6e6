/*
 * Goal:   the in-memory log passes the contract of logs.
 * Method: the shared suite on the machine's clock.
 */
#include "contract.h"
#include "millrace/log_open.h"

static struct mr_log *open_memory(void)
{
    return mr_log_memory_create(mr_clock_system());
}

int main(void)
{
    return log_contract_run("log memory", open_memory);
}
