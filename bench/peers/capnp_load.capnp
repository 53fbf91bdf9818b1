# What Cap'n Proto carries.
@0xd2a1c6c1b0a7f3e5;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("pagewire::bench::peer");

interface Load {
  echo @0 (message :Data) -> (message :Data);
  put @1 (payload :Data) -> (size :UInt64);
  get @2 (size :UInt64) -> (payload :Data);
  port @3 (number :UInt32) -> (port :UInt32);  # of another event loop of this server
}
