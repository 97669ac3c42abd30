// sctp-pair PORT COUNT: sends COUNT messages to itself over SCTP, whose tracepoints are in the kernel module sctp.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  int server = socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP), client = socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP);
  if (bind(server, (struct sockaddr*)&place, sizeof place) != 0 || listen(server, 1) != 0) return 1;
  if (connect(client, (struct sockaddr*)&place, sizeof place) != 0) return 1;
  int peer = accept(server, NULL, NULL);
  char buffer[100];
  memset(buffer, 'x', sizeof buffer);
  for (long i = 0; i < atol(argv[2]); ++i)
    if (send(client, buffer, sizeof buffer, 0) < 0 || recv(peer, buffer, sizeof buffer, 0) < 0) return 1;
  usleep(300000);  // the last acknowledgement may be late
  return 0;
}
