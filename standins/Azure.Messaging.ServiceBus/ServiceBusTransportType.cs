namespace Azure.Messaging.ServiceBus;

public enum ServiceBusTransportType
{
    AmqpTcp,
    AmqpWebSockets,
}
