// What the machine allows without a node: the limits that throughput through nodes is compared with.
//
//   stream_limits tcp|tls|cipher|chain PACKET_SIZE MEGABYTES
//
// tcp: bytes from one process to another over loopback. tls: the same through TLS 1.3 as the nodes' links use it, with
// full records.
// cipher: packets of PACKET_SIZE sealed and opened (XSalsa20-Poly1305, cached key), one after another in one thread.
// chain: sealed in one process, through TLS over loopback, opened in the other: all that a node cannot do without.
// Prints one line of JSON; the rate counts the plain bytes, cpu_seconds both processes.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sodium.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kRecord = 16 * 1024;

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

// One end of a connection, plain or TLS. Small writes are gathered, so that TLS records are full.
class Channel {
 public:
  Channel(int socket, SSL_CTX* tls, bool listens) : socket_{socket} {
    int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (tls == nullptr) return;
    ssl_ = SSL_new(tls);
    SSL_set_fd(ssl_, socket);
    if ((listens ? SSL_accept(ssl_) : SSL_connect(ssl_)) != 1) fail("handshake");
  }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel() {
    if (ssl_ != nullptr) SSL_free(ssl_);
    ::close(socket_);
  }

  void write(const unsigned char* data, std::size_t size) {
    while (size > 0) {
      const auto part = std::min(size, room() - waiting_);
      std::memcpy(out_.get() + waiting_, data, part);
      waiting_ += part;
      data += part;
      size -= part;
      if (waiting_ == room()) flush();
    }
  }
  void flush() {
    for (std::size_t sent = 0; sent < waiting_;) {
      const auto* const from = out_.get() + sent;
      const auto part = ssl_ != nullptr ? SSL_write(ssl_, from, static_cast<int>(waiting_ - sent))
                                        : static_cast<int>(::send(socket_, from, waiting_ - sent, MSG_NOSIGNAL));
      if (part <= 0) fail("write");
      sent += static_cast<std::size_t>(part);
    }
    waiting_ = 0;
  }
  void read(unsigned char* data, std::size_t size) {
    while (size > 0) {
      if (from_ == to_) {
        const auto part = ssl_ != nullptr ? SSL_read(ssl_, in_.get(), kPiece)
                                          : static_cast<int>(::recv(socket_, in_.get(), kPiece, 0));
        if (part <= 0) fail("read");
        from_ = 0;
        to_ = static_cast<std::size_t>(part);
      }
      const auto part = std::min(size, to_ - from_);
      std::memcpy(data, in_.get() + from_, part);
      from_ += part;
      data += part;
      size -= part;
    }
  }

 private:
  static constexpr std::size_t kPiece = 64 * 1024;
  [[nodiscard]] std::size_t room() const { return ssl_ != nullptr ? kRecord : kPiece; }

  int socket_;
  SSL* ssl_ = nullptr;
  std::unique_ptr<unsigned char[]> out_ = std::make_unique<unsigned char[]>(kPiece);
  std::unique_ptr<unsigned char[]> in_ = std::make_unique<unsigned char[]>(kPiece);
  std::size_t waiting_ = 0;  // in out_
  std::size_t from_ = 0;     // of in_
  std::size_t to_ = 0;
};

// As two nodes on processors with AES agree.
SSL_CTX* context_of(const SSL_METHOD* method) {
  auto* const context = SSL_CTX_new(method);
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  if (SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") != 1) fail("cipher");
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  return context;
}

SSL_CTX* listener_context() {
  auto* const context = context_of(TLS_server_method());
  auto* const key = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  auto* const certificate = X509_new();
  X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  if (X509_sign(certificate, key, nullptr) == 0 || SSL_CTX_use_certificate(context, certificate) != 1 ||
      SSL_CTX_use_PrivateKey(context, key) != 1) {
    std::fprintf(stderr, "no certificate\n");
    std::exit(1);
  }
  return context;
}

// Seals or opens one packet in place, as a node does with the cached key of a session.
class Cipher {
 public:
  explicit Cipher(std::size_t size) : box_(size + crypto_secretbox_MACBYTES) { std::memset(key_, 7, sizeof key_); }
  unsigned char* seal(std::vector<unsigned char>& packet) {
    crypto_box_easy_afternm(box_.data(), packet.data(), packet.size(), next(), key_);
    return box_.data();
  }
  void open(std::vector<unsigned char>& packet) {
    if (crypto_box_open_easy_afternm(packet.data(), box_.data(), box_.size(), next(), key_) != 0) fail("open");
  }
  std::vector<unsigned char>& box() { return box_; }

 private:
  const unsigned char* next() {
    ++count_;
    std::memcpy(nonce_, &count_, sizeof count_);
    return nonce_;
  }
  unsigned char key_[crypto_box_BEFORENMBYTES];
  unsigned char nonce_[crypto_box_NONCEBYTES] = {};
  unsigned long long count_ = 0;
  std::vector<unsigned char> box_;
};

double cpu_seconds(int who) {
  rusage usage{};
  ::getrusage(who, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

void print(std::string_view mode, std::size_t packet, double bytes, double seconds) {
  std::printf("{\"limit\":\"%s\",\"packet\":%zu,\"mb_per_second\":%.1f,\"cpu_seconds_per_gb\":%.2f}\n", mode.data(),
              packet, bytes / seconds / 1e6, (cpu_seconds(RUSAGE_SELF) + cpu_seconds(RUSAGE_CHILDREN)) / bytes * 1e9);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 || sodium_init() < 0) {
    std::fprintf(stderr, "stream_limits tcp|tls|cipher|chain PACKET_SIZE MEGABYTES\n");
    return 2;
  }
  const std::string_view mode = argv[1];
  const auto size = static_cast<std::size_t>(std::atoi(argv[2]));
  const auto packets = static_cast<std::size_t>(std::atof(argv[3]) * 1e6 / static_cast<double>(size));
  const auto bytes = static_cast<double>(packets * size);
  std::vector<unsigned char> packet(size, 'x');

  if (mode == "cipher") {
    Cipher sealing{size};
    Cipher opening{size};
    const auto start = Clock::now();
    for (std::size_t i = 0; i < packets; ++i) {
      sealing.seal(packet);
      opening.box().swap(sealing.box());
      opening.open(packet);
      opening.box().swap(sealing.box());
    }
    print(mode, size, bytes, std::chrono::duration<double>(Clock::now() - start).count());
    return 0;
  }

  const bool tls = mode != "tcp";
  const bool chain = mode == "chain";
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || ::listen(listener, 1) != 0 ||
      ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    fail("listen");
  }
  const auto child = ::fork();
  if (child == 0) {  // the reader
    Channel channel{::accept(listener, nullptr, nullptr), tls ? listener_context() : nullptr, true};
    Cipher cipher{size};
    for (std::size_t i = 0; i < packets; ++i) {
      if (chain) {
        channel.read(cipher.box().data(), cipher.box().size());
        cipher.open(packet);
      } else {
        channel.read(packet.data(), packet.size());
      }
    }
    channel.write(packet.data(), 1);
    channel.flush();
    std::exit(0);
  }
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("connect");
  {
    Channel channel{socket, tls ? context_of(TLS_client_method()) : nullptr, false};
    Cipher cipher{size};
    const auto start = Clock::now();
    for (std::size_t i = 0; i < packets; ++i) {
      if (chain) {
        channel.write(cipher.seal(packet), cipher.box().size());
      } else {
        channel.write(packet.data(), packet.size());
      }
    }
    channel.flush();
    channel.read(packet.data(), 1);
    const auto seconds = std::chrono::duration<double>(Clock::now() - start).count();
    ::waitpid(child, nullptr, 0);
    print(mode, size, bytes, seconds);
  }
  return 0;
}
