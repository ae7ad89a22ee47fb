// Two nodes, one link, 16 UDP flows of 64-byte frames: what softnet's `rss-4-queues` receives, between two ns-3 stacks.
// Prints: packets received, simulated seconds, wall seconds, events.
#include "ns3/applications-module.h"
#include "ns3/core-module.h"
#include "ns3/internet-module.h"
#include "ns3/network-module.h"
#include "ns3/point-to-point-module.h"

#include <chrono>
#include <cstdio>

using namespace ns3;

int
main(int argc, char* argv[])
{
    double seconds = 1.0;
    double packetsPerSecond = 1e6;
    uint32_t flows = 16;
    CommandLine cmd;
    cmd.AddValue("seconds", "simulated seconds", seconds);
    cmd.AddValue("pps", "packets per simulated second, all flows", packetsPerSecond);
    cmd.AddValue("flows", "UDP flows", flows);
    cmd.Parse(argc, argv);

    NodeContainer nodes;
    nodes.Create(2);
    PointToPointHelper link;
    link.SetDeviceAttribute("DataRate", StringValue("10Gbps"));
    link.SetChannelAttribute("Delay", StringValue("1us"));
    NetDeviceContainer devices = link.Install(nodes);
    InternetStackHelper stack;
    stack.SetIpv6StackInstall(false);
    stack.Install(nodes);
    Ipv4AddressHelper address;
    address.SetBase("192.0.2.0", "255.255.255.0");
    Ipv4InterfaceContainer interfaces = address.Assign(devices);

    ApplicationContainer sinks;
    const Time interval = Seconds(flows / packetsPerSecond);
    for (uint32_t flow = 0; flow < flows; flow++)
    {
        const uint16_t port = 9000 + flow;
        PacketSinkHelper sink("ns3::UdpSocketFactory", InetSocketAddress(Ipv4Address::GetAny(), port));
        sinks.Add(sink.Install(nodes.Get(1)));
        UdpClientHelper client(interfaces.GetAddress(1), port);
        client.SetAttribute("MaxPackets", UintegerValue(4294967295U));
        client.SetAttribute("Interval", TimeValue(interval));
        // 64 bytes on Ethernet are 18 bytes of UDP payload; UdpClient has a header of 12 in its own.
        client.SetAttribute("PacketSize", UintegerValue(18));
        ApplicationContainer clients = client.Install(nodes.Get(0));
        clients.Start(Seconds(flow * interval.GetSeconds() / flows));
    }
    sinks.Start(Seconds(0));

    Simulator::Stop(Seconds(seconds));
    const auto start = std::chrono::steady_clock::now();
    Simulator::Run();
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < sinks.GetN(); i++)
    {
        bytes += DynamicCast<PacketSink>(sinks.Get(i))->GetTotalRx();
    }
    std::printf("{\"packets\": %llu, \"simulated_s\": %.6f, \"wall_s\": %.6f, \"events\": %llu}\n",
                static_cast<unsigned long long>(bytes / 18),
                seconds,
                wall.count(),
                static_cast<unsigned long long>(Simulator::GetEventCount()));
    Simulator::Destroy();
    return 0;
}
