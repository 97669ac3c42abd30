#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
extern int CONFIG_HZ __kconfig __weak;
extern enum libbpf_tristate CONFIG_BPF_SYSCALL __kconfig __weak;
extern unsigned long CONFIG_NO_SUCH_THING __kconfig __weak;
int hz(void) { return CONFIG_HZ; }
int tristate(void) { return CONFIG_BPF_SYSCALL == TRI_YES; }
long nothing(void) { return CONFIG_NO_SUCH_THING; }
