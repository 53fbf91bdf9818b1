// What Thrift carries.
namespace cpp pagewire.bench.peer

service Load {
  binary echo(1: binary message)
  i64 put(1: binary payload)
  binary get(1: i64 size)
}
